//! TC ingress: packets an interface received, after GRO and before the network stack.

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use capture_common::Direction;

#[classifier]
pub fn remora_ingress(ctx: TcContext) -> i32 {
    crate::copy::packet(&ctx, Direction::Ingress);
    TC_ACT_UNSPEC
}
