#pragma once
// Shared by the two report pages: safe text, the figures of a score, the head of a page, and the
// style and scripts of page/.

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/time.h"
#include "engine/files/atomic_file.h"
#include "engine/observers/json.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench::report {

// The files of page/, embedded at build time (cmake/embed_files.cmake).
extern const std::string_view kReportCss;
extern const std::string_view kRecordJs;
extern const std::string_view kSortJs;
extern const std::string_view kPageJs;
extern const std::string_view kEventsJs;
extern const std::string_view kRunJs;
extern const std::string_view kComparisonJs;

/// Text for use between tags or in a quoted attribute: escapes markup, shows control characters as
/// "?".
std::string escaped(std::string_view text);
/// JSON for a <script>: ASCII, without "<", ">" and "&"; bytes that are not UTF-8 are replaced.
std::string script_json(const observers::Json& json);
/// A number with at most `decimals` decimals, without zeros at its end: "1.5", "12".
std::string number_text(double value, int decimals);
/// The two largest units: "90 s", "12 min", "7 d 4 h".
std::string time_text(Duration time);
/// "<li>label <b>value</b></li>"
std::string item(std::string_view what, std::string_view value);

/// One figure of a score, for people.
struct Figure {
  std::string name;       ///< "guest OOM kills"
  std::string text;       ///< "0.35 %"
  std::string meaning;    ///< one clause
  double value = 0;       ///< smaller is better
  bool alarming = false;  ///< the figure should be 0, but is larger
};

/// Always the same figures in the same order.
std::vector<Figure> figures_of(const Score& score);
/// A share as a percentage: "0.35 %".
std::string percent(double share);
/// How the keyboard and touch move through the charts, as a paragraph of markup. `rest` ends the
/// sentence: plain text.
std::string keys_help(std::string_view rest);

/// The start of a page. `heading` and `items` are markup, the others plain text.
struct PageStart {
  std::string title;
  std::string heading;
  std::string summary;
  std::string items;  ///< of item()
};
/// From the doctype to the start of <main>.
std::string page_start(const PageStart& start);
/// From the end of <main> to the end of the page: `write_data` writes the JSON that the scripts
/// draw; `own_scripts` run after the scripts that both pages share.
void write_page_end(const files::WritePiece& write,
                    const std::function<void(const files::WritePiece&)>& write_data,
                    std::initializer_list<std::string_view> own_scripts);

}  // namespace memcoord::workbench::report
