//! TC egress: packets about to leave through an interface, before its queue and before GSO cuts them.
//!
//! <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/net/core/dev.c?h=v6.1.192#n4331>

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use capture_common::Direction;

#[classifier]
pub fn remora_egress(ctx: TcContext) -> i32 {
    crate::copy::packet(&ctx, Direction::Egress);
    TC_ACT_UNSPEC
}
