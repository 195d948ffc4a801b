#include "engine/workbench/report/page_text.h"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "engine/core/printable.h"
#include "engine/workbench/report/page_files.h"

namespace memcoord::workbench::report {

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
  // Outside of strings JSON has no character that acts; within, a script would put it on the page.
  const std::string text = json.ascii_line();
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '>' || c == '&') {
      // These stand only within JSON's strings, where an escape means the same.
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
        // The first half of a surrogate pair, which JSON never leaves alone.
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
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds < 120) return number_text(seconds, seconds < 1 ? 3 : 1) + " s";
  constexpr std::array<std::pair<long long, const char*>, 4> kUnits{
      {{86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}}};
  auto left = static_cast<long long>(seconds);
  std::string text;
  int said = 0;
  for (const auto& [size, unit] : kUnits) {
    if (left >= size) text += (text.empty() ? "" : " ") + std::to_string(left / size) + unit;
    if ((left >= size || said > 0) && ++said == 2) break;
    left %= size;
  }
  return text;
}

std::string item(std::string_view what, std::string_view value) {
  return fmt::format("<li>{} <b>{}</b></li>", escaped(what), escaped(value));
}

std::string page_start(const PageStart& start) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // The page needs nothing from anywhere; browsers are told to hold it to that.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"generator\" content=\"memcoord\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
      "<header class=\"page\">\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n"
      "<ul class=\"meta\">{}</ul>\n</header>\n<main>\n"
      "<noscript><p>Curves and events need a browser that runs scripts; the figures do "
      "not.</p></noscript>\n",
      escaped(start.title), kReportCss, start.heading, escaped(start.summary), start.items);
}

}  // namespace memcoord::workbench::report
