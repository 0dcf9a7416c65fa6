// The smallest batches of the ring circuits that devices have, for tests that repeat all of them.
#pragma once

#include <functional>

#include "support.hpp"

namespace support {

/// Trees, answers of networks, linear scores, external products, automorphisms, packs with a trace: each gives its bytes as words, and its status last.
std::vector<std::function<Words()>> ring_operations(Machine& machine);

}  // namespace support
