//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of_target = |name: &str| std::env::var(name).unwrap_or_default();
    // A position-independent program has 90,000 addresses to fill in before its first instruction: half of the time of a
    // short command such as `guard lint` in a hook (docs/decisions/0020-fixed-address.md).
    if of_target("CARGO_CFG_TARGET_OS") == "linux" && of_target("CARGO_CFG_TARGET_ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
