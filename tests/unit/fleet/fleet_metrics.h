#pragma once
// The metrics of a memcoord, as its host would give them.

#include <string>

namespace memcoord::testing {

/// 16 GiB, of which 4 GiB are grantable and 6 GiB after reclaiming; the last tick was at 1000 s.
inline std::string metrics_of_a_host() {
  return R"(# HELP memcoord_build_info The version of memcoord.
# TYPE memcoord_build_info gauge
memcoord_build_info{version="0.3.0"} 1
memcoord_policy_info{policy="adaptive"} 1
memcoord_up 1
memcoord_ready 1
memcoord_dry_run 0
memcoord_fallback_active 0
memcoord_last_tick_timestamp_seconds 1000
memcoord_interval_seconds 1
memcoord_host_memory_bytes 17179869184
memcoord_host_grantable_bytes 4294967296
memcoord_host_committed_bytes 12884901888
memcoord_host_shortfall_bytes 0
memcoord_headroom_bytes{within="0"} 4294967296
memcoord_headroom_bytes{within="all"} 6442450944
memcoord_host_state{state="short"} 0
memcoord_host_state{state="tight"} 1
memcoord_host_state{state="fine"} 0
memcoord_domains{state="running"} 30
memcoord_domains{state="paused"} 1
)";
}

/// The same with one text in place of another, which it has.
inline std::string metrics_with(const std::string& old_text, const std::string& new_text) {
  std::string text = metrics_of_a_host();
  return text.replace(text.find(old_text), old_text.size(), new_text);
}

/// The same without the lines that begin so.
inline std::string metrics_without(const std::string& beginning) {
  std::string text = metrics_of_a_host();
  for (std::size_t at = text.find("\n" + beginning); at != std::string::npos;
       at = text.find("\n" + beginning)) {
    text.erase(at + 1, text.find('\n', at + 1) - at);
  }
  return text;
}

}  // namespace memcoord::testing
