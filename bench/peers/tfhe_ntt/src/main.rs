//! Times tfhe-ntt's 64-bit plan at N = 2048 and a 50-bit prime, with the method of Sotto's own `poly_bench`: 1500 rounds of
//! 8 transforms in place on one cached polynomial. Prints `name value unit` lines, the median and the best round of each.
//! Pin it to one core: `taskset -c 1 tfhe_ntt_peer`.

use std::time::Instant;
use tfhe_ntt::prime64::Plan;

const DEGREE: usize = 2048;
/// The modulus of Sotto's ring-2048-q50: 50 bits, 1 mod 4096.
const MODULUS: u64 = 1_125_899_906_826_241;
const BATCH: usize = 8;
const ROUNDS: usize = 1500;

/// Values below the modulus from a 64-bit linear congruential generator.
fn made_up_polynomial() -> Vec<u64> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 14) % MODULUS
    };
    (0..DEGREE).map(|_| next()).collect()
}

/// The plan must undo its own transform, or its time would mean nothing.
fn check(plan: &Plan) {
    let wanted = made_up_polynomial();
    let mut polynomial = wanted.clone();
    plan.fwd(&mut polynomial);
    assert!(polynomial != wanted, "the forward transform changed nothing");
    plan.inv(&mut polynomial);
    plan.normalize(&mut polynomial);
    assert!(polynomial == wanted, "the inverse transform does not undo the forward one");
}

fn time(name: &str, mut transform: impl FnMut(&mut [u64])) {
    let mut polynomial = made_up_polynomial();
    let mut microseconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                transform(std::hint::black_box(&mut polynomial));
            }
            start.elapsed().as_secs_f64() * 1e6 / BATCH as f64
        })
        .collect();
    microseconds.sort_by(f64::total_cmp);
    println!("{name} {:.3} us", microseconds[ROUNDS / 2]);
    println!("{name}.best {:.3} us", microseconds[0]);
}

fn main() {
    let plan = Plan::try_new(DEGREE, MODULUS).expect("a plan for this degree and modulus");
    check(&plan);
    println!("ifma {} bool", u8::from(plan.use_ifma()));
    time("forward", |x| plan.fwd(x));
    time("inverse", |x| plan.inv(x));
    time("inverse_normalised", |x| {
        plan.inv(x);
        plan.normalize(x);
    });
}
