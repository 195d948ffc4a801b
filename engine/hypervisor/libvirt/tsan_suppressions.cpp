// Part of every program with the libvirt hypervisor that is built with the thread sanitizer.
// libvirt and GLib are not built with it, so it cannot see how they synchronise and reports races
// inside them. Races in memcoord's own code are reported all the same. Built in rather than a file:
// a test that gives up its rights has to have it, too, wherever the sources lie.

extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)

extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "called_from_lib:libvirt.so\n"
         "called_from_lib:libglib-2.0.so\n"
         "called_from_lib:libgobject-2.0.so\n"
         "race:libvirt.so\n"
         "race:libglib-2.0.so\n"
         // The test driver destroys a locked mutex where a file is wrong, libxml2 its own at exit.
         "mutex:libvirt.so\n"
         "mutex:libxml2.so\n";
}
