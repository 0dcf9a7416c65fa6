// The two switches before a rotation, on a device.
#pragma once

#include "backend/cuda/matmul_right.cuh"

namespace sotto::cuda {

/// The switching key in memory of the device, and the bytes it takes there.
RightFactor switching_factor(const sotto_lookup_keys& keys, void* memory);
size_t switching_key_bytes(const sotto_lookup_keys& keys);
int32_t upload_switching_key(Lane& lane, const sotto_lookup_keys& keys, void* key);

/// count lwe under s -> rows of small_row_words() under z. digits: count * kSwitchRows bytes of scratch.
int32_t switch_to_small(Lane& lane, const sotto_lookup_keys& keys, const RightFactor& key, const uint32_t* lwe, uint32_t count, int8_t* digits, uint32_t* small);
/// The same rows -> exponents, as in crypto/lookup_switch.hpp.
int32_t switch_to_exponents(Lane& lane, const SmallSet& set, const uint32_t* small, uint32_t count, uint32_t values_log, uint32_t* exponents);

}  // namespace sotto::cuda
