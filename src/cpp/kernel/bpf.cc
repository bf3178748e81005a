// bpf(2) as far as control groups need it: programs, their places, and the maps that they count in.
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "kernel.hh"

namespace {

uint32_t Unsigned(const Napi::CallbackInfo& info, size_t i) { return info[i].ToNumber().Uint32Value(); }
uint64_t Address(const Napi::Value& bytes) {
  return reinterpret_cast<uint64_t>(bytes.As<Napi::Uint8Array>().Data());
}
Napi::Value Call(const Napi::CallbackInfo& info, int command, bpf_attr* attributes) {
  return Result(info, OrErrno(syscall(__NR_bpf, command, attributes, sizeof *attributes)));
}

// bpfProgramLoad(type, attachType, instructions) -> fd or -errno.
Napi::Value ProgramLoad(const Napi::CallbackInfo& info) {
  bpf_attr attributes = {};
  attributes.prog_type = Unsigned(info, 0);
  attributes.expected_attach_type = Unsigned(info, 1);
  attributes.insns = Address(info[2]);
  attributes.insn_cnt = static_cast<uint32_t>(info[2].As<Napi::Uint8Array>().ByteLength() / sizeof(bpf_insn));
  attributes.license = reinterpret_cast<uint64_t>("MIT");
  return Call(info, BPF_PROG_LOAD, &attributes);
}

// bpfAttach(target, program, attachType, flags) -> 0 or -errno.
Napi::Value Attach(const Napi::CallbackInfo& info) {
  bpf_attr attributes = {};
  attributes.target_fd = Unsigned(info, 0);
  attributes.attach_bpf_fd = Unsigned(info, 1);
  attributes.attach_type = Unsigned(info, 2);
  attributes.attach_flags = Unsigned(info, 3);
  return Call(info, BPF_PROG_ATTACH, &attributes);
}

// bpfDetach(target, program, attachType) -> 0 or -errno.
Napi::Value Detach(const Napi::CallbackInfo& info) {
  bpf_attr attributes = {};
  attributes.target_fd = Unsigned(info, 0);
  attributes.attach_bpf_fd = Unsigned(info, 1);
  attributes.attach_type = Unsigned(info, 2);
  return Call(info, BPF_PROG_DETACH, &attributes);
}

// bpfQuery(target, attachType, ids: Uint32Array) -> how many programs are attached, or -errno.
Napi::Value Query(const Napi::CallbackInfo& info) {
  auto ids = info[2].As<Napi::Uint32Array>();
  bpf_attr attributes = {};
  attributes.query.target_fd = Unsigned(info, 0);
  attributes.query.attach_type = Unsigned(info, 1);
  attributes.query.prog_ids = reinterpret_cast<uint64_t>(ids.Data());
  attributes.query.prog_cnt = static_cast<uint32_t>(ids.ElementLength());
  int64_t result = OrErrno(syscall(__NR_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes));
  return Result(info, result < 0 ? result : attributes.query.prog_cnt);
}

// bpfProgramById(id) -> fd or -errno.
Napi::Value ProgramById(const Napi::CallbackInfo& info) {
  bpf_attr attributes = {};
  attributes.prog_id = Unsigned(info, 0);
  return Call(info, BPF_PROG_GET_FD_BY_ID, &attributes);
}

// bpfMapCreate(type, keySize, valueSize, maxEntries) -> fd or -errno.
Napi::Value MapCreate(const Napi::CallbackInfo& info) {
  bpf_attr attributes = {};
  attributes.map_type = Unsigned(info, 0);
  attributes.key_size = Unsigned(info, 1);
  attributes.value_size = Unsigned(info, 2);
  attributes.max_entries = Unsigned(info, 3);
  return Call(info, BPF_MAP_CREATE, &attributes);
}

// bpfMapLookup(map, key, value) -> 0 or -errno; fills `value`.
Napi::Value MapLookup(const Napi::CallbackInfo& info) {
  bpf_attr attributes = {};
  attributes.map_fd = Unsigned(info, 0);
  attributes.key = Address(info[1]);
  attributes.value = Address(info[2]);
  return Call(info, BPF_MAP_LOOKUP_ELEM, &attributes);
}

// bpfKept(slot, fd?) -> the descriptor that all environments of this process share, or -1 while unset.
Napi::Value Kept(const Napi::CallbackInfo& info) {
  static std::atomic<int> kept[2] = {{-1}, {-1}};
  auto& slot = kept[Unsigned(info, 0) & 1];
  if (info.Length() > 1) slot = Int(info, 1);
  return Result(info, slot);
}

}  // namespace

void InitBpf(Napi::Env env, Napi::Object exports) {
  exports.Set("bpfProgramLoad", Napi::Function::New(env, ProgramLoad));
  exports.Set("bpfAttach", Napi::Function::New(env, Attach));
  exports.Set("bpfDetach", Napi::Function::New(env, Detach));
  exports.Set("bpfQuery", Napi::Function::New(env, Query));
  exports.Set("bpfProgramById", Napi::Function::New(env, ProgramById));
  exports.Set("bpfMapCreate", Napi::Function::New(env, MapCreate));
  exports.Set("bpfMapLookup", Napi::Function::New(env, MapLookup));
  exports.Set("bpfKept", Napi::Function::New(env, Kept));
}
