#include "fiber.hpp"

namespace sotto::shim {

#if defined(__x86_64__)

// System V: rbx, rbp, r12 to r15 belong to the caller. rdi: where the stack pointer goes, rsi: the new one.
extern "C" void sotto_shim_switch(void** save, void* stack_pointer);
__asm__(R"(
.text
.p2align 4
.type sotto_shim_switch, @function
sotto_shim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sotto_shim_switch, .-sotto_shim_switch
)");

void make_fiber(Fiber& fiber, void* stack, size_t stack_bytes, void (*entry)()) {
  auto* top = reinterpret_cast<uintptr_t*>((uintptr_t(stack) + stack_bytes) & ~uintptr_t(15));
  *--top = 0;  // entry finds the stack as after a call: 8 below a multiple of 16
  *--top = reinterpret_cast<uintptr_t>(entry);
  for (int i = 0; i < 6; i++) *--top = 0;
  fiber.stack_pointer = top;
}

void switch_fiber(Fiber& from, Fiber& to) { sotto_shim_switch(&from.stack_pointer, to.stack_pointer); }

#elif defined(__aarch64__)

// AAPCS64: x19 to x30 and d8 to d15 belong to the caller.
extern "C" void sotto_shim_switch(void** save, void* stack_pointer);
__asm__(R"(
.text
.p2align 4
.type sotto_shim_switch, %function
sotto_shim_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size sotto_shim_switch, .-sotto_shim_switch
)");

void make_fiber(Fiber& fiber, void* stack, size_t stack_bytes, void (*entry)()) {
  auto* frame = reinterpret_cast<uintptr_t*>((uintptr_t(stack) + stack_bytes) & ~uintptr_t(15)) - 20;
  for (int i = 0; i < 20; i++) frame[i] = 0;
  frame[11] = reinterpret_cast<uintptr_t>(entry);  // x30
  fiber.stack_pointer = frame;
}

void switch_fiber(Fiber& from, Fiber& to) { sotto_shim_switch(&from.stack_pointer, to.stack_pointer); }

#else

void make_fiber(Fiber& fiber, void* stack, size_t stack_bytes, void (*entry)()) {
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = stack;
  fiber.context.uc_stack.ss_size = stack_bytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry, 0);
}

void switch_fiber(Fiber& from, Fiber& to) { swapcontext(&from.context, &to.context); }

#endif

}  // namespace sotto::shim
