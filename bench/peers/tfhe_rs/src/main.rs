//! Times four-bit lookups (key switch, then programmable bootstrap) of tfhe-rs with its sets MESSAGE_2_CARRY_2 of failure class
//! 2^-64 and 2^-128: one after the other, and in a batch of 64 that reads the bootstrapping key once, which only its core_crypto
//! offers. Prints `name value unit` lines, milliseconds a lookup, the median and the best of the rounds. The 2^-128 set is made
//! for a centred modulus switch, which the batch call has not: there it takes the plain one, which is less work.
//! Pin it to one core: `RAYON_NUM_THREADS=1 taskset -c 1 tfhe_rs_peer [rounds]`.

use std::time::Instant;
use tfhe::core_crypto::prelude::*;
use tfhe::shortint::parameters::v1_6::classic::tuniform::p_fail_2_minus_64::ks_pbs::V1_6_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M64;
use tfhe::shortint::parameters::v1_8::classic::tuniform::p_fail_2_minus_128::ks_pbs::V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
use tfhe::shortint::parameters::ClassicPBSParameters;

const BATCH: usize = 64;
/// Values of two message and two carry bits; one padding bit stays zero.
const VALUES: u64 = 16;
const DELTA: u64 = 1 << 59;
const DEFAULT_ROUNDS: usize = 3;

/// The table: a permutation of the sixteen values.
fn table(value: u64) -> u64 {
    (7 * value + 3) % VALUES
}

struct Keys {
    parameters: ClassicPBSParameters,
    large: LweSecretKeyOwned<u64>,
    switching: LweKeyswitchKeyOwned<u64>,
    bootstrapping: FourierLweBootstrapKeyOwned,
}

/// Keys of one set, and a batch of encrypted values 0, 1, 2, and so on.
fn generate(p: ClassicPBSParameters) -> (Keys, LweCiphertextListOwned<u64>) {
    let mut seeder = new_seeder();
    let seeder = seeder.as_mut();
    let mut secrets = SecretRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed());
    let mut noise = EncryptionRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed(), seeder);
    let (modulus, small_noise, large_noise) = (
        p.ciphertext_modulus,
        p.lwe_noise_distribution,
        p.glwe_noise_distribution,
    );
    let small = allocate_and_generate_new_binary_lwe_secret_key(p.lwe_dimension, &mut secrets);
    let glwe = allocate_and_generate_new_binary_glwe_secret_key(p.glwe_dimension, p.polynomial_size, &mut secrets);
    let standard = par_allocate_and_generate_new_lwe_bootstrap_key(
        &small,
        &glwe,
        p.pbs_base_log,
        p.pbs_level,
        large_noise,
        modulus,
        &mut noise,
    );
    let mut bootstrapping = FourierLweBootstrapKey::new(
        p.lwe_dimension,
        p.glwe_dimension.to_glwe_size(),
        p.polynomial_size,
        p.pbs_base_log,
        p.pbs_level,
    );
    par_convert_standard_lwe_bootstrap_key_to_fourier(&standard, &mut bootstrapping);
    let large = glwe.into_lwe_secret_key();
    let switching = allocate_and_generate_new_lwe_keyswitch_key(
        &large,
        &small,
        p.ks_base_log,
        p.ks_level,
        small_noise,
        modulus,
        &mut noise,
    );
    let values = PlaintextList::from_container((0..BATCH as u64).map(|i| i % VALUES * DELTA).collect::<Vec<_>>());
    let mut inputs = LweCiphertextList::new(
        0,
        large.lwe_dimension().to_lwe_size(),
        LweCiphertextCount(BATCH),
        modulus,
    );
    encrypt_lwe_ciphertext_list(&large, &mut inputs, &values, large_noise, &mut noise);
    (
        Keys {
            parameters: p,
            large,
            switching,
            bootstrapping,
        },
        inputs,
    )
}

/// Everything that a lookup writes to, and its table: made once, outside of the times.
struct Workspace {
    fft: Fft,
    table: GlweCiphertextOwned<u64>,
    tables: GlweCiphertextListOwned<u64>,
    small: LweCiphertextListOwned<u64>,
    outputs: LweCiphertextListOwned<u64>,
    buffers: ComputationBuffers,
}

impl Workspace {
    fn new(keys: &Keys) -> Self {
        let p = &keys.parameters;
        let (size, degree, modulus) = (p.glwe_dimension.to_glwe_size(), p.polynomial_size, p.ciphertext_modulus);
        let table = generate_programmable_bootstrap_glwe_lut(degree, size, VALUES as usize, modulus, DELTA, table);
        let mut tables = GlweCiphertextList::new(0, size, degree, GlweCiphertextCount(BATCH), modulus);
        tables
            .iter_mut()
            .for_each(|mut copy| copy.as_mut().copy_from_slice(table.as_ref()));
        let list = |dimension: LweDimension| {
            LweCiphertextList::new(0, dimension.to_lwe_size(), LweCiphertextCount(BATCH), modulus)
        };
        let fft = Fft::new(degree);
        let (view, count) = (fft.as_view(), CiphertextCount(BATCH));
        let one = programmable_bootstrap_lwe_ciphertext_mem_optimized_requirement::<u64>(size, degree, view);
        let many =
            batch_programmable_bootstrap_lwe_ciphertext_mem_optimized_requirement::<u64>(size, degree, count, view);
        let mut buffers = ComputationBuffers::new();
        buffers.resize(one.unaligned_bytes_required().max(many.unaligned_bytes_required()));
        let (small, outputs) = (list(p.lwe_dimension), list(keys.large.lwe_dimension()));
        Self {
            fft,
            table,
            tables,
            small,
            outputs,
            buffers,
        }
    }

    fn switch_all(&mut self, keys: &Keys, inputs: &LweCiphertextListOwned<u64>) {
        for (input, mut small) in inputs.iter().zip(self.small.iter_mut()) {
            keyswitch_lwe_ciphertext(&keys.switching, &input, &mut small);
        }
    }

    fn bootstrap_one_by_one(&mut self, keys: &Keys) {
        for (small, mut output) in self.small.iter().zip(self.outputs.iter_mut()) {
            programmable_bootstrap_lwe_ciphertext_mem_optimized(
                &small,
                &mut output,
                &self.table,
                &keys.bootstrapping,
                self.fft.as_view(),
                self.buffers.stack(),
            );
        }
    }

    fn bootstrap_batch(&mut self, keys: &Keys) {
        batch_programmable_bootstrap_lwe_ciphertext_mem_optimized(
            &self.small,
            &mut self.outputs,
            &self.tables,
            &keys.bootstrapping,
            self.fft.as_view(),
            self.buffers.stack(),
        );
    }

    /// Wrong answers would make the times worthless.
    fn check(&self, keys: &Keys) {
        for (i, output) in self.outputs.iter().enumerate() {
            let phase = decrypt_lwe_ciphertext(&keys.large, &output).0;
            let answer = (phase.wrapping_add(DELTA / 2) / DELTA) % (2 * VALUES);
            assert_eq!(answer, table(i as u64 % VALUES), "lookup {i} has a wrong answer");
        }
    }
}

/// Milliseconds a lookup.
fn time(call: impl FnOnce()) -> f64 {
    let start = Instant::now();
    call();
    start.elapsed().as_secs_f64() * 1e3 / BATCH as f64
}

fn report(name: &str, mut milliseconds: Vec<f64>) {
    milliseconds.sort_by(f64::total_cmp);
    println!("{name} {:.4} ms", milliseconds[milliseconds.len() / 2]);
    println!("{name}.best {:.4} ms", milliseconds[0]);
}

fn measure(class: &str, parameters: ClassicPBSParameters, rounds: usize) {
    let start = Instant::now();
    let (keys, inputs) = generate(parameters);
    println!("{class}.keygen {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let mut work = Workspace::new(&keys);
    let (mut switches, mut singles, mut batches) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        switches.push(time(|| work.switch_all(&keys, &inputs)));
        singles.push(time(|| work.bootstrap_one_by_one(&keys)));
        work.check(&keys);
        batches.push(time(|| work.bootstrap_batch(&keys)));
        work.check(&keys);
    }
    let sum = |parts: &[f64]| {
        parts
            .iter()
            .zip(&switches)
            .map(|(part, switch)| part + switch)
            .collect()
    };
    report(&format!("{class}.single"), sum(&singles));
    report(&format!("{class}.batch64"), sum(&batches));
    report(&format!("{class}.keyswitch"), switches);
    report(&format!("{class}.bootstrap_single"), singles);
    report(&format!("{class}.bootstrap_batch64"), batches);
}

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(DEFAULT_ROUNDS, |words| words.parse().expect("a number of rounds"));
    assert!(rounds > 0, "at least one round");
    measure("2m64", V1_6_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M64, rounds);
    measure("2m128", V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, rounds);
}
