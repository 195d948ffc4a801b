#include "engine/workbench/report/page.h"

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <utility>

#include "engine/charts/charts.h"
#include "engine/core/printable.h"
#include "engine/core/time.h"
#include "engine/observers/amounts.h"

namespace memcoord::workbench::report {
namespace {

std::string amount(double value, const char* unit) {
  if (value > 0 && value < 0.001) return std::string("< 0.001 ") + unit;
  return number_text(value, value < 1 ? 3 : value < 100 ? 2 : 0) + " " + unit;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : printable(text)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string script_json(const observers::Json& json) {
  // In JSON, special characters occur only in strings. A script may put these strings on the page.
  const std::string text = json.ascii_line();
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '>' || c == '&') {
      // Within a JSON string, an escape means the same character.
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (c != '\\') {
      out += c;
    } else if (text[i + 1] != 'u') {
      const bool controls = text[i + 1] == 'b' || text[i + 1] == 'f';
      out += controls ? "?" : text.substr(i, 2);
      ++i;
    } else {
      const auto unit = [&](std::size_t at) {
        return static_cast<char32_t>(std::stoul(text.substr(at + 2, 4), nullptr, 16));
      };
      char32_t code = unit(i);
      std::size_t length = 6;
      if (code >= 0xd800 && code < 0xdc00) {
        // The first half of a surrogate pair; the second follows.
        length = 12;
        code = 0x10000 + ((code - 0xd800) << 10U) + (unit(i + 6) - 0xdc00);
      }
      out += acts(code) ? "?" : text.substr(i, length);
      i += length - 1;
    }
  }
  return out;
}

std::string number_text(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string time_text(Duration time) {
  const double seconds = seconds_of(time);
  if (seconds < 120) return number_text(seconds, seconds < 1 ? 3 : 1) + " s";
  return observers::duration_text(time);
}

std::string item(std::string_view what, std::string_view value) {
  return fmt::format("<li>{} <b>{}</b></li>", escaped(what), escaped(value));
}

std::string percent(double share) {
  if (share == 0) return "0 %";
  if (share < 0.0001) return "< 0.01 %";
  return number_text(share * 100, share < 0.1 ? 2 : 1) + " %";
}

std::vector<Figure> figures_of(const Score& score) {
  const auto kills = [](int n) { return std::to_string(n); };
  return {
      {"stalled", percent(score.stalled),
       "share of domain-time in which a guest's demand did not fit its memory", score.stalled,
       score.stalled > 0},
      {"deficit", amount(score.deficit, "GiB h"), "how much memory was missing", score.deficit,
       false},
      {"guest OOM kills", kills(score.guest_oom), "workloads that a guest's OOM killer ended",
       static_cast<double>(score.guest_oom), score.guest_oom > 0},
      {"host OOM kills", kills(score.host_oom), "times the host ran out of memory",
       static_cast<double>(score.host_oom), score.host_oom > 0},
      {"breach", amount(score.breach_seconds, "s"), "time in which the host was under its floor",
       score.breach_seconds, score.breach_seconds > 0},
      {"overhead", percent(score.overhead), "memory granted beyond the need, as a share of it",
       score.overhead, false},
      {"churn", amount(score.churn, "MiB/h"), "memory that balloons moved, per domain and hour",
       score.churn, false},
  };
}

std::string keys_help(std::string_view rest) {
  return fmt::format(
      "<p class=\"soft keys noprint\">Keys: <kbd>Tab</kbd> to a chart, <kbd>&larr;</kbd> "
      "<kbd>&rarr;</kbd> along it (with <kbd>Shift</kbd> faster), <kbd>+</kbd> <kbd>&minus;</kbd> "
      "zoom, <kbd>Esc</kbd> shows all{}. Mouse: drag across a chart to zoom, double-click shows "
      "all. "
      "Touch: one finger shows values, two zoom.</p>\n",
      escaped(rest));
}

std::string page_start(const PageStart& start) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // The page loads nothing, and tells the browser to enforce that.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"generator\" content=\"memcoord\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n"
      "<header class=\"page\">\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n"
      "<ul class=\"meta\">{}</ul>\n</header>\n<main>\n"
      "<noscript><p>Curves and events need a browser that runs scripts; the figures do "
      "not.</p></noscript>\n",
      escaped(start.title), charts::kChartsCss, kReportCss, start.heading, escaped(start.summary),
      start.items);
}

void write_page_end(const files::WritePiece& write,
                    const std::function<void(const files::WritePiece&)>& write_data,
                    std::initializer_list<std::string_view> own_scripts) {
  write("</main>\n<div id=\"tip\" role=\"status\"></div>\n");
  write(
      "<footer>Written by memcoord. docs/simulator.md and docs/administration.md define the "
      "figures.</footer>\n");
  write("<script type=\"application/json\" id=\"data\">\n");
  write_data(write);
  write("\n</script>\n<script>\n");
  for (const std::string_view script : charts::scripts()) write(script);
  for (const std::string_view script : {kRecordJs, kSortJs, kPageJs}) write(script);
  for (const std::string_view script : own_scripts) write(script);
  write("</script>\n</body>\n</html>\n");
}

}  // namespace memcoord::workbench::report
