#pragma once
// Text as it may stand within a page, whatever names and reasons bring along.

#include <string>
#include <string_view>

#include "engine/core/time.h"
#include "engine/observers/json.h"

namespace memcoord::workbench::report {

/// Between tags or in a quoted attribute: markup is escaped, control characters are shown as "?".
std::string escaped(std::string_view text);
/// JSON that may stand within a <script>: ASCII, without a "<", ">" or "&"; bytes that are no UTF-8
/// are replaced.
std::string script_json(const observers::Json& json);
/// A number with so many decimals, zeros at its end left out: "1.5", "12".
std::string number_text(double value, int decimals);
/// "90 s", "12 min", "7 d 4 h": the two largest units.
std::string time_text(Duration time);
/// One "<dt>what</dt><dd>value</dd>"-like item of a list: "<li>what <b>value</b></li>".
std::string item(std::string_view what, std::string_view value);

/// From the doctype to the header's end. `heading` is markup, the others are text.
struct PageStart {
  std::string title;
  std::string heading;
  std::string summary;
  std::string items;  ///< markup: item()s
};
std::string page_start(const PageStart& start);

}  // namespace memcoord::workbench::report
