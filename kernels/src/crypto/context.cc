#include "crypto/context.hpp"

#include "backend/cuda/device.hpp"

void sotto::DeviceDeleter::operator()(sotto::Device* device) const { delete device; }
