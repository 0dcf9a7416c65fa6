#include "device_support.hpp"

#include "crypto/lookup.hpp"

namespace support {

using namespace sotto;

namespace {
constexpr uint32_t kValuesLog = 1;
uint32_t table_of(uint32_t lookup) { return lookup % 2; }
}  // namespace

void fill_short_keys(uint32_t setting, sotto_lookup_keys& keys) {
  keys.setting = setting;
  const Words data = random_polynomials(short_dimension(keys) * keys.row_count() * 2, 70 + setting);
  CHECK(keys.rotation.copy_from(data.data(), data.size()));
}

std::vector<uint32_t> short_exponents(const sotto_lookup_keys& keys, uint32_t count) {
  Random random{90 + keys.setting};
  std::vector<uint32_t> rows(count * small_row_words(keys.small()));
  for (uint32_t& word : rows) word = uint32_t(random.below(2 * N)) >> kValuesLog << kValuesLog;
  rows[0] = 0;
  rows[1] = 2 * N - 2;
  return rows;
}

ShortRotation rotate_on_device(Machine& machine, const sotto_lookup_keys& keys, uint32_t count, const Words& tables) {
  cuda::LaneUse lane(device_of(machine));
  CHECK(lane.ready() == SOTTO_OK);
  DeviceArray<uint64_t> key(*lane, keys.rotation.size()), on_device(*lane, tables), accumulators(*lane, count * kCiphertextWords);
  DeviceArray<uint32_t> exponents(*lane, short_exponents(keys, count)), lwe(*lane, (count << kValuesLog) * kLweWords);
  std::vector<uint32_t> which;
  for (uint32_t i = 0; i < count; i++) which.push_back(10 + table_of(i));
  DeviceArray<uint32_t> indices(*lane, which);
  CHECK(cuda::upload_rotation_keys(*lane, keys, key.data()) == SOTTO_OK);
  const cuda::RotationTask task = {&keys, short_dimension(keys), key.data(), exponents.data(), on_device.data(), 10, indices.data(), count, accumulators.data(), lwe.data(), kValuesLog,
                                   LookupModulus::torus32};
  const int32_t status = cuda::rotate(*lane, task);
  return {status, accumulators.values(), lwe.values()};
}

ShortRotation rotate_by_reference(const sotto_lookup_keys& keys, uint32_t count, const Words& tables) {
  const Ring& ring = reference().context->ring;
  const Gadget gadget = lookup_gadget(keys.setting);
  const std::vector<uint32_t> exponents = short_exponents(keys, count);
  const uint32_t stride = small_row_words(keys.small()), block = keys.small().block, rows = keys.row_count();
  ShortRotation result = {SOTTO_OK, Words(count * kCiphertextWords), std::vector<uint32_t>((count << kValuesLog) * kLweWords)};
  Buffer<uint64_t> digits(rows * N), product(2 * N), scratch(2 * N);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t* row = exponents.data() + i * stride;
    uint64_t* accumulator = result.accumulators.data() + i * kCiphertextWords;
    start_accumulator(*reference().context, tables.data() + table_of(i) * N, row[short_dimension(keys)], accumulator);
    for (uint32_t bit = 0; bit < short_dimension(keys); bit += block) {
      for (uint32_t part = 0; part < 2; part++) ring.kernels().transform_digits(ring.tables(), gadget, accumulator + part * N, digits.data() + part * gadget.level_count * N, scratch.data());
      ring.kernels().block_product(ring.tables(), block, rows, row + bit, digits.data(), keys.block(bit), product.data(), product.data() + N, scratch.data());
      for (uint32_t part = 0; part < 2; part++) {
        ring.inverse(product.data() + part * N);
        ring.add(accumulator + part * N, accumulator + part * N, product.data() + part * N);
      }
    }
    for (uint32_t value = 0; value < 1u << kValuesLog; value++) extract_u32(accumulator, accumulator + N, value, result.lwe.data() + ((i << kValuesLog) + value) * kLweWords);
  }
  return result;
}

DeviceProduct::DeviceProduct(uint32_t rows_, uint32_t columns_, uint32_t depth_, uint32_t batch_, uint32_t left_count_)
    : rows(rows_), columns(columns_), depth(depth_), batch(batch_), left_count(left_count_), left(left_count * rows * cuda::left_stride(depth)), right(batch * columns * depth), start(batch * rows * columns) {
  Random random{rows + 1000 * columns + 1000000 * depth};
  const int8_t extremes[] = {-128, 127, 0, 1, -1};
  for (int8_t& x : left) x = random.below(3) ? int8_t(random.next()) : extremes[random.below(5)];
  for (uint32_t& x : right) x = random.below(8) ? uint32_t(random.next()) : UINT32_MAX;
  for (uint32_t& x : start) x = uint32_t(random.next());
}

std::vector<uint32_t> DeviceProduct::by_device(Machine& machine, int32_t* status, int32_t out_shift) const {
  cuda::LaneUse lane(device_of(machine));
  DeviceArray<int8_t> a(*lane, left);
  cuda::RightFactor factor = {nullptr, depth, columns};
  DeviceArray<uint4> quads(*lane, batch * factor.quad_count());
  for (uint32_t z = 0; z < batch; z++) {
    factor.quads = quads.data() + z * factor.quad_count();
    CHECK(cuda::upload_right_columns(*lane, right.data() + z * columns * depth, factor) == SOTTO_OK);
  }
  factor.quads = quads.data();
  DeviceArray<uint32_t> c(*lane, start);
  const size_t stride = cuda::left_stride(depth);
  *status = cuda::matmul_i8_u32(*lane, {a.data(), stride, factor, c.data(), columns, rows, out_shift, batch, left_count, rows * stride, size_t(rows) * columns});
  return c.values();
}

std::vector<uint32_t> DeviceProduct::by_definition(int32_t out_shift) const {
  std::vector<uint32_t> out;
  for (uint32_t z = 0; z < batch; z++)
    for (uint32_t i = 0; i < rows; i++)
      for (uint32_t j = 0; j < columns; j++) {
        uint32_t sum = out_shift < 0 ? 0 : start[out.size()] << out_shift;
        for (uint32_t l = 0; l < depth; l++) sum += uint32_t(int32_t(left[(z % left_count * rows + i) * cuda::left_stride(depth) + l])) * right[(z * columns + j) * depth + l];
        out.push_back(sum);
      }
  return out;
}

}  // namespace support
