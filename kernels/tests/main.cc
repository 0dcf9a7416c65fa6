// Runs every registered test (or those whose name contains the argument) and ends with "N passed, N failed".
#include <string.h>

#include "harness.hpp"

namespace harness {
namespace {
int failures = 0;
}
std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
void report_failure(const char* file, int line, const std::string& what) {
  if (failures++ < 20) printf("  %s:%d: %s\n", file, line, what.c_str());
}
}  // namespace harness

int main(int count, char** arguments) {
  int passed = 0, failed = 0;
  for (const auto& test : harness::tests()) {
    if (count > 1 && !strstr(test.name, arguments[1])) continue;
    harness::failures = 0;
    test.body();
    printf("%s ... %s\n", test.name, harness::failures ? "FAILED" : "ok");
    fflush(stdout);
    harness::failures ? failed++ : passed++;
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed;
}
