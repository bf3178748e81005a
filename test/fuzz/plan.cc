// Feeds the launcher's decoders with damaged plans, under ASan and UBSan. System calls are cut off (LAUNCHER_FUZZ).
// Usage: plan <iterations> <seed>. Prints how many ops were decoded; ends with a sanitizer's report on the first fault.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "../../src/cpp/launcher/ops.hh"

u32 last_syscall = 0;

namespace {

constexpr uint16_t kCodes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
                               31, 32, 33, 40, 41, 42, 43, 44, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
                               63, 64, 70, 71, 72, 73, 99};

std::mt19937 engine;

uint32_t below(uint32_t limit) { return engine() % limit; }

void put(std::vector<uint8_t>& out, const void* data, size_t size) {
  auto bytes = static_cast<const uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + size);
}

// Words that look like lengths, counts, slots and strings, so that decoding gets past the first argument.
void put_arguments(std::vector<uint8_t>& out) {
  for (uint32_t words = below(12); words > 0; words--) {
    uint32_t length = below(9);
    switch (below(4)) {
      case 0: put(out, &length, 4); break;
      case 1: {
        uint32_t any = engine();
        put(out, &any, 4);
        break;
      }
      default:
        put(out, &length, 4);
        for (uint32_t i = 0; i < length; i++) out.push_back(below(20) ? '/' : 0);
        out.push_back(below(30) ? 0 : 'x');
    }
  }
}

std::vector<uint8_t> make_plan() {
  std::vector<uint8_t> plan;
  for (uint32_t ops = 1 + below(8); ops > 0; ops--) {
    std::vector<uint8_t> arguments;
    put_arguments(arguments);
    abi::OpHeader header = {kCodes[below(sizeof kCodes / 2)], static_cast<uint16_t>(below(6)), 0};
    header.size = below(20) ? static_cast<uint32_t>(sizeof header + arguments.size()) : engine();
    put(plan, &header, sizeof header);
    put(plan, arguments.data(), arguments.size());
  }
  if (below(4) == 0) plan.resize(below(static_cast<uint32_t>(plan.size()) + 1));
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned long iterations = argc > 1 ? strtoul(argv[1], nullptr, 10) : 100000, decoded = 0;
  engine.seed(argc > 2 ? static_cast<unsigned>(strtoul(argv[2], nullptr, 10)) : 1);
  std::vector<uint8_t> scratch(65536);
  i32 fds[3] = {0, 1, 2};
  for (unsigned long i = 0; i < iterations; i++) {
    // Exactly as long as the plan, so that one byte too far is seen.
    std::vector<uint8_t> plan = make_plan();
    plan.shrink_to_fit();
    for (u16 role = 0; role < 6; role++) {
      Context context;
      context.fds = fds;
      context.fd_count = 3;
      context.scratch = scratch.data();
      context.scratch_size = scratch.size();
      context.disabled = below(2) ? 0 : 31;
      OpList ops(Reader(plan.data(), plan.size()));
      while (ops.next(role)) {
        run_op(ops.code, ops.arguments, context);
        decoded++;
      }
    }
  }
  printf("%lu plans, %lu ops decoded, no fault\n", iterations, decoded);
}
