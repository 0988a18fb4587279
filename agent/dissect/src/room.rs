//! Room for bytes whose number is announced before they come.

/// Of so many times what has come, the announcement is believed.
const CREDIT: usize = 16;

/// What is believed without any.
const LITTLE: usize = 64;

/// Makes room for `coming` bytes behind those that are held, and at once for all of the `announced` ones, those that come
/// included: growing bit by bit copies what is there each time. No more than `most` are held in the end.
pub(crate) fn make(held: &mut Vec<u8>, coming: usize, announced: u64, most: usize) {
    if held.capacity() - held.len() >= coming {
        return;
    }
    let least = held.len() + coming;
    let all = usize::try_from(announced).unwrap_or(usize::MAX).saturating_add(held.len());
    let wanted = all.min(most).min(CREDIT * least.max(LITTLE)).max(least);
    // One small announcement after the other must not copy all of it each time.
    if held.is_empty() || wanted / 2 >= held.capacity() {
        held.reserve_exact(wanted - held.len());
    } else {
        held.reserve(coming);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_believed_in_proportion() {
        let mut held = Vec::new();
        make(&mut held, 10, 1 << 40, 1 << 20);
        assert_eq!(held.capacity(), CREDIT * LITTLE);
        held.resize(CREDIT * LITTLE, 0);
        make(&mut held, 10, 100_000 - CREDIT as u64 * LITTLE as u64, 1 << 20);
        assert_eq!(held.capacity(), CREDIT * (CREDIT * LITTLE + 10));
        let mut held = Vec::new();
        make(&mut held, 1_448, 5_000, 1 << 20);
        assert_eq!(held.capacity(), 5_000);
        let mut held = Vec::new();
        make(&mut held, 1_448, 5_000, 2_000);
        assert_eq!(held.capacity(), 2_000);
    }

    #[test]
    fn many_small_announcements_grow_it_seldom() {
        let (mut held, mut grown) = (Vec::new(), 0);
        for _ in 0..100_000 {
            let before = held.capacity();
            make(&mut held, 10, 10, 1 << 20);
            grown += usize::from(held.capacity() != before);
            held.extend_from_slice(&[0; 10]);
        }
        assert!(grown < 30, "{grown}");
    }
}
