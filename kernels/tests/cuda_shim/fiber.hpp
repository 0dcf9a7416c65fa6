// Threads of a block as fibers on one thread of the operating system: a switch saves what the calling convention asks for, and no system call is made.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

namespace sotto::shim {

/// A suspended flow of control.
struct Fiber {
#if defined(__x86_64__) || defined(__aarch64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t context;
#endif
};

/// Leaves `from` and goes on in `to`.
void switch_fiber(Fiber& from, Fiber& to);
/// The next switch to `fiber` calls entry(), which must never return, on the given stack.
void make_fiber(Fiber& fiber, void* stack, size_t stack_bytes, void (*entry)());

}  // namespace sotto::shim
