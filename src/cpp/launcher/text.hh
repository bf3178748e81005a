// The few string and memory helpers that a program without libc needs.
#pragma once
#include "sys.hh"

extern "C" {
void* memcpy(void* to, const void* from, usize n);
void* memset(void* to, int value, usize n);
usize strlen(const char* s);
}

template <typename T>
inline T load(const void* from) {
  T value;
  memcpy(&value, from, sizeof(T));
  return value;
}

inline bool equal(const char* a, const char* b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

// Appends to a fixed buffer; overflow is remembered, not written.
class Text {
 public:
  Text(char* buffer, usize size) : buffer_(buffer), size_(size) { buffer_[0] = 0; }
  Text& add(const char* s) {
    while (*s) put(*s++);
    return *this;
  }
  Text& add(u64 n) {
    char digits[21];
    int i = 20;
    digits[i] = 0;
    do digits[--i] = (char)('0' + n % 10);
    while (n /= 10);
    return add(digits + i);
  }
  bool ok() const { return ok_; }

 private:
  void put(char c) {
    if (length_ + 1 >= size_) {
      ok_ = false;
      return;
    }
    buffer_[length_++] = c;
    buffer_[length_] = 0;
  }
  char* buffer_;
  usize size_;
  usize length_ = 0;
  bool ok_ = true;
};

// "/proc/self/fd/N": how the older mount calls name a descriptor.
struct FdPath {
  char text[32];
  explicit FdPath(i32 fd) { Text(text, sizeof text).add("/proc/self/fd/").add((u64)fd); }
};
