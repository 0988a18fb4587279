//! Doubly linked lists through the slots of a table, so that ordering streams by age costs no allocation.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    /// Towards the newest.
    pub(super) newer: u32,
    pub(super) older: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self { newer: NONE, older: NONE }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) newest: u32,
    pub(super) oldest: u32,
    pub(super) len: usize,
}

impl Default for List {
    fn default() -> Self {
        Self { newest: NONE, oldest: NONE, len: 0 }
    }
}

/// The slots a list runs through.
pub(super) trait Linked {
    fn links(&mut self, slot: u32) -> &mut Links;
}

impl List {
    pub(super) fn push_newest(&mut self, slot: u32, slots: &mut impl Linked) {
        *slots.links(slot) = Links { newer: NONE, older: self.newest };
        match self.newest {
            NONE => self.oldest = slot,
            newest => slots.links(newest).newer = slot,
        }
        self.newest = slot;
        self.len += 1;
    }

    /// Takes out a slot that is in this list.
    pub(super) fn remove(&mut self, slot: u32, slots: &mut impl Linked) {
        let Links { newer, older } = std::mem::take(slots.links(slot));
        match newer {
            NONE => self.newest = older,
            newer => slots.links(newer).older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => slots.links(older).newer = newer,
        }
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Linked for Vec<Links> {
        fn links(&mut self, slot: u32) -> &mut Links {
            &mut self[slot as usize]
        }
    }

    fn oldest_first(list: &List, slots: &mut Vec<Links>) -> Vec<u32> {
        let mut order = Vec::new();
        let mut at = list.oldest;
        while at != NONE {
            order.push(at);
            at = slots.links(at).newer;
        }
        order
    }

    #[test]
    fn slots_leave_from_both_ends_and_the_middle() {
        let mut slots = vec![Links::default(); 5];
        let mut list = List::default();
        for slot in 0..5 {
            list.push_newest(slot, &mut slots);
        }
        for (slot, left) in
            [(2, vec![0, 1, 3, 4]), (0, vec![1, 3, 4]), (4, vec![1, 3]), (3, vec![1]), (1, vec![])]
        {
            list.remove(slot, &mut slots);
            assert_eq!(oldest_first(&list, &mut slots), left);
            assert_eq!(list.len, left.len());
        }
        list.push_newest(3, &mut slots);
        assert_eq!((list.oldest, list.newest), (3, 3));
    }
}
