#include <cstdint>
#include <iostream>

int main() {
  int n;
  std::cin >> n;
  uint64_t a = 0, b = 1;
  for (int i = 0; i < n; i++) {
    uint64_t next = a + b;
    a = b;
    b = next;
  }
  std::cout << a << "\n";
}
