// Uploads as lwe: seeded records expanded, their coefficients extracted and switched to the 32-bit torus.
#pragma once

#include "crypto/lookup_switch.hpp"

namespace sotto {

/// Checked arguments of sotto_inputs_submit.
int32_t submit_inputs(Context& context, const uint8_t* records, const sotto_inputs_shape& shape, uint32_t* lwe, Job** job);

}  // namespace sotto
