//! Lists through the slots of a table, in which any slot moves to the end at no cost: who was used longest ago?

const NONE: u32 = u32::MAX;
/// In `next`: the slot is in no list.
const OUT: u32 = u32::MAX - 1;

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
}

/// A doubly linked list whose links lie in an array, one for each slot.
pub(super) struct Order {
    links: Vec<Link>,
    first: u32,
    last: u32,
    len: usize,
}

impl Order {
    pub(super) fn new() -> Self {
        Self { links: Vec::new(), first: NONE, last: NONE, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The slot that came to the end longest ago.
    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.links.get(slot as usize).is_some_and(|link| link.next != OUT)
    }

    /// Puts a slot at the end, wherever it was before.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        if self.last == slot {
            return;
        }
        self.remove(slot);
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, Link { previous: NONE, next: OUT });
        }
        self.links[slot as usize] = Link { previous: self.last, next: NONE };
        match self.last {
            NONE => self.first = slot,
            last => self.links[last as usize].next = slot,
        }
        self.last = slot;
        self.len += 1;
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        if !self.contains(slot) {
            return;
        }
        let Link { previous, next } = self.links[slot as usize];
        match previous {
            NONE => self.first = next,
            previous => self.links[previous as usize].next = next,
        }
        match next {
            NONE => self.last = previous,
            next => self.links[next as usize].previous = previous,
        }
        self.links[slot as usize].next = OUT;
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_plain_list_does(steps in prop::collection::vec((0u32..8, any::<bool>()), 0..200)) {
            let (mut order, mut plain) = (Order::new(), Vec::new());
            for (slot, touch) in steps {
                plain.retain(|other| *other != slot);
                if touch {
                    plain.push(slot);
                    order.touch(slot);
                } else {
                    order.remove(slot);
                }
                prop_assert_eq!(order.len(), plain.len());
                prop_assert_eq!(order.contains(slot), touch);
                prop_assert_eq!(order.first(), plain.first().copied());
            }
            for slot in plain {
                prop_assert_eq!(order.first(), Some(slot));
                order.remove(slot);
            }
            prop_assert_eq!(order.first(), None);
        }
    }
}
