//! The kernel programs of Remora: every packet of an interface, copied into a ring buffer of the CPU it passes on.
//!
//! They only look. Each returns `TC_ACT_UNSPEC` (`TCX_NEXT` on a tcx link), so that whatever stands behind it decides.
#![no_std]
#![no_main]

mod copy;
mod egress;
mod ingress;
mod maps;

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the verifier refuses programs that can panic, so this is never reached.
    unsafe { core::hint::unreachable_unchecked() }
}

// None of the helpers used is for GPL programs alone, so the project's own licence stands.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";
