// Part of every program that is built with the thread sanitizer and contains the libvirt
// hypervisor. libvirt and GLib are built without the sanitizer. It therefore does not see how they
// synchronise and reports races inside them. It still reports races in memcoord's own code. The
// suppressions are compiled in rather than read from a file, so that a test that drops its
// privileges has them too.

extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)

extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "called_from_lib:libvirt.so\n"
         "called_from_lib:libglib-2.0.so\n"
         "called_from_lib:libgobject-2.0.so\n"
         "race:libvirt.so\n"
         "race:libglib-2.0.so\n"
         // The test driver destroys a locked mutex when a file is wrong; libxml2 destroys one at
         // exit.
         "mutex:libvirt.so\n"
         "mutex:libxml2.so\n";
}
