//! Ports for servers that need one.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that nobody listens on, and that no other test of this program is given, not even while its server is away. It lies
/// below those that the kernel hands out by itself, and has another one of its own 10,000 above (a cluster of Redis needs it).
pub fn free_port() -> u16 {
    static N_GIVEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(97);
    loop {
        let number = first.wrapping_add(N_GIVEN.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let port = 10_000 + u16::try_from(number).expect("a small number");
        // Not by listening there: whatever another test is just starting would hold a copy of that socket for a while.
        if TcpStream::connect(("127.0.0.1", port)).is_err() {
            return port;
        }
    }
}
