#include "core/status.hpp"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace sotto {
namespace {
thread_local char last_message[256] = "";
}

int32_t fail(int32_t status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_message, sizeof last_message, format, arguments);
  va_end(arguments);
  return status;
}

}  // namespace sotto

extern "C" size_t sotto_last_error(char* text, size_t capacity) {
  const size_t length = strlen(sotto::last_message);
  if (text && capacity) {
    const size_t copied = length < capacity - 1 ? length : capacity - 1;
    memcpy(text, sotto::last_message, copied);
    text[copied] = 0;
  }
  return length;
}

extern "C" uint32_t sotto_abi_version(void) { return SOTTO_ABI_VERSION; }
