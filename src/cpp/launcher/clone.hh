// A process that shares our memory can't return into frames that we use ourselves: it starts in a function of its own, on
// the stack that `clone(flags, stack)` or `clone3(args, size)` was given.
#pragma once
#include "sys.hh"

#ifndef LAUNCHER_HOSTED
template <typename A, typename B>
inline i64 clone_into(i64 nr, A a, B b, void (*entry)(void*), void* argument) {
#if defined(__x86_64__)
  i64 result;
  register i64 r10 asm("r10") = 0;
  register i64 r8 asm("r8") = 0;
  register auto function asm("r12") = entry;
  register void* value asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "1:"
      : "=a"(result)
      : "a"(nr), "D"((i64)a), "S"((i64)b), "d"((i64)0), "r"(r10), "r"(r8), "r"(function), "r"(value)
      : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register i64 x8 asm("x8") = nr;
  register i64 result asm("x0") = (i64)a;
  register i64 x1 asm("x1") = (i64)b;
  register i64 x2 asm("x2") = 0;
  register i64 x3 asm("x3") = 0;
  register i64 x4 asm("x4") = 0;
  register auto function asm("x19") = entry;
  register void* value asm("x20") = argument;
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "1:"
      : "+r"(result)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(function), "r"(value)
      : "memory", "x30");
#endif
  if (result < 0) last_syscall = (u32)nr;
  return result;
}
#endif
