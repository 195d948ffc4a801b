// Part of every program that is built with the address sanitizer and contains the screen. ncurses
// keeps a record of the thread that opened a screen until the process ends.

extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)

extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:new_prescr\n";
}
