// The status of a call and the message of the last failure on this thread.
#pragma once

#include <stdint.h>

#include "sotto/sotto.h"

namespace sotto {

/// Remembers the message (printf form) for sotto_last_error and returns the status.
int32_t fail(int32_t status, const char* format, ...) __attribute__((format(printf, 2, 3)));

inline int32_t out_of_memory(const char* what) { return fail(SOTTO_OUT_OF_MEMORY, "not enough memory for %s", what); }

}  // namespace sotto
