//! Bytes that are kept for later, without memory of their own where they are few.

use std::fmt;
use std::ops::Deref;

/// As a short command has, say. With what tells their number it is six words.
const HERE: usize = 46;

pub(crate) struct FewBytes(Place);

enum Place {
    Here(u8, [u8; HERE]),
    Heap(Box<[u8]>),
}

impl FewBytes {
    /// Bytes of heap held.
    pub(crate) fn heap(&self) -> usize {
        if let Place::Heap(bytes) = &self.0 { bytes.len() } else { 0 }
    }
}

impl From<&[u8]> for FewBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut here = [0; HERE];
        Self(match (here.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(bytes);
                Place::Here(length, here)
            }
            _ => Place::Heap(bytes.into()),
        })
    }
}

impl Deref for FewBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Here(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Place::Heap(bytes) => bytes,
        }
    }
}

impl fmt::Debug for FewBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_what_they_were_made_of() {
        let all: Vec<u8> = (0..100).collect();
        for length in 0..=all.len() {
            let kept = FewBytes::from(&all[..length]);
            assert_eq!(&*kept, &all[..length]);
            assert_eq!(kept.heap(), if length > HERE { length } else { 0 });
        }
    }
}
