// A network namespace costs the kernel as much as all that init does meanwhile: a helper makes it, on another CPU. Where init only
// waits it stays on init's: the next one may be where a program runs.
#pragma once
#include "ops.hh"

i64 make_network(const Context& context);  // starts the helper
i64 enter_network();                       // waits for it; the namespace is init's then, with the loopback device up

// Answers kFrameOpenSocket.
void open_socket(Reader request);
