//! TC ingress: packets an interface received, after GRO and before the network stack. A VLAN tag was taken out by then.
//!
//! <https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/net/core/dev.c?h=v6.1.192#n5469>

use aya_ebpf::{bindings::TC_ACT_UNSPEC, macros::classifier, programs::TcContext};
use capture_common::Direction;

#[classifier]
pub fn remora_ingress(ctx: TcContext) -> i32 {
    crate::copy::packet(&ctx, Direction::Ingress);
    TC_ACT_UNSPEC
}
