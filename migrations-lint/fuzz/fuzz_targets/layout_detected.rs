//! See `layout` in `bodies.rs`: files of whichever layout is found in them.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &str| bodies::layout(input, None));
