//! TC egress: packets about to leave through an interface, before its queue and before GSO cuts them.

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use capture_common::Direction;

#[classifier]
pub fn remora_egress(ctx: TcContext) -> i32 {
    crate::copy::packet(&ctx, Direction::Egress);
    TC_ACT_UNSPEC
}
