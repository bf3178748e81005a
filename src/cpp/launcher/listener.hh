// A filter that asks Node (seccomp_unotify(2)): installs it, and has its listener sent to Node before anything is asked.
#pragma once
#include "ops.hh"

struct sock_fprog;

i64 install_listening(const sock_fprog& program, u32 flags, const Context& context);
