// The few lines of a test runner: TEST registers a function, CHECK counts what fails and says where.
#pragma once

#include <stdio.h>

#include <functional>
#include <string>
#include <vector>

namespace harness {

struct Test {
  const char* name;
  std::function<void()> body;
};
std::vector<Test>& tests();
void report_failure(const char* file, int line, const std::string& what);

struct Registration {
  Registration(const char* name, std::function<void()> body) { tests().push_back({name, body}); }
};

}  // namespace harness

#define TEST_CONCAT_(a, b) a##b
#define TEST_CONCAT(a, b) TEST_CONCAT_(a, b)
#define TEST(name)                                                                                              \
  static void TEST_CONCAT(test_, __LINE__)();                                                                   \
  static const harness::Registration TEST_CONCAT(registration_, __LINE__)(name, TEST_CONCAT(test_, __LINE__)); \
  static void TEST_CONCAT(test_, __LINE__)()
#define CHECK(condition)                                                                      \
  do {                                                                                        \
    if (!(condition)) harness::report_failure(__FILE__, __LINE__, "not true: " #condition);   \
  } while (0)
