//! See `layout` in `bodies.rs`: files read as those of refinery.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code)]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &str| bodies::layout(input, Some(bodies::Layout::Refinery)));
