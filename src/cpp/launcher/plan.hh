// Reads a plan where it lies. Every read is bounds-checked; the first bad one makes the reader fail for good, so an op
// may read all its arguments and look at ok() once.
#pragma once
#include "../common/abi.hh"
#include "text.hh"

class Reader {
 public:
  Reader() = default;
  Reader(const u8* data, usize size) : at_(data), end_(data + size) {}

  bool ok() const { return ok_; }
  bool done() const { return at_ == end_; }
  usize left() const { return (usize)(end_ - at_); }

  template <typename T>
  T get() {
    const u8* p = take(sizeof(T));
    return p ? load<T>(p) : T{};
  }
  u32 number() { return get<u32>(); }
  u64 wide() { return get<u64>(); }
  const u8* take(usize n) {
    if (!ok_ || n > left()) {
      ok_ = false;
      return nullptr;
    }
    const u8* p = at_;
    at_ += n;
    return p;
  }
  // A NUL-terminated string without NULs inside. Never null: an empty string stands for a bad one.
  const char* string() {
    usize n = number();
    if (n >= abi::kMaxFrame) ok_ = false;
    const char* p = (const char*)take(n + 1);
    if (p && (p[n] != 0 || strlen(p) != n)) ok_ = false;
    return ok_ ? p : "";
  }

 private:
  const u8* at_ = nullptr;
  const u8* end_ = nullptr;
  bool ok_ = true;
};

// Steps through the ops of one role, remembering the index for error reports.
class OpList {
 public:
  explicit OpList(Reader ops) : rest_(ops) {}

  // False at the end, or at a malformed op: then ok() is false.
  bool next(u16 role) {
    while (rest_.ok() && !rest_.done()) {
      auto header = rest_.get<abi::OpHeader>();
      if (!rest_.ok() || header.size < sizeof header) return fail();
      const u8* body = rest_.take(header.size - sizeof header);
      if (!body) return fail();
      index_++;
      if (header.role != role) continue;
      code = header.code;
      arguments = Reader(body, header.size - sizeof header);
      return true;
    }
    return rest_.ok() ? false : fail();
  }
  bool ok() const { return ok_; }
  u32 index() const { return index_; }

  u16 code = 0;
  Reader arguments;

 private:
  bool fail() { return ok_ = false; }
  Reader rest_;
  u32 index_ = abi::kNone;
  bool ok_ = true;
};
