//! The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B), four bits at a time.

/// Bits of each byte's code, and of the end of string's. The code is canonical: codes of one length are consecutive, in the
/// order of the bytes, so that the lengths say it all.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];

const END_OF_STRING: u16 = 256;

/// In a tree: what is below is a byte, not a node.
const LEAF: u16 = 0x8000;

/// The code as a binary tree; a code for 257 symbols has 256 inner nodes, the root is 0.
const TREE: [[u16; 2]; 256] = tree();

/// What four more bits do at each node.
static STEPS: [[Step; 16]; 256] = steps();

/// Nodes at which a string may end: the padding is up to seven bits of the end of string's code, all ones.
static MAY_END: [bool; 256] = may_end();

#[derive(Clone, Copy)]
struct Step {
    next: u8,
    symbol: u8,
    action: Action,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Go,
    /// The symbol is complete.
    Emit,
    /// The end of string, which must not appear.
    Fail,
}

const fn tree() -> [[u16; 2]; 256] {
    let mut tree = [[0u16; 2]; 256];
    let (mut nodes, mut code, mut length) = (1, 0u32, 1);
    while length <= 30 {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] == length {
                let (mut node, mut bit) = (0, length - 1);
                while bit > 0 {
                    let side = (code >> bit & 1) as usize;
                    if tree[node][side] == 0 {
                        tree[node][side] = nodes;
                        nodes += 1;
                    }
                    node = tree[node][side] as usize;
                    bit -= 1;
                }
                tree[node][(code & 1) as usize] = LEAF | symbol as u16;
                code += 1;
            }
            symbol += 1;
        }
        code <<= 1;
        length += 1;
    }
    tree
}

const fn steps() -> [[Step; 16]; 256] {
    let mut steps = [[Step { next: 0, symbol: 0, action: Action::Go }; 16]; 256];
    let mut start = 0;
    while start < 256 {
        let mut nibble = 0;
        while nibble < 16 {
            let (mut node, mut bit) = (start, 4);
            let mut step = Step { next: 0, symbol: 0, action: Action::Go };
            while bit > 0 {
                bit -= 1;
                let below = TREE[node][nibble >> bit & 1];
                if below == LEAF | END_OF_STRING {
                    step.action = Action::Fail;
                    bit = 0;
                } else if below & LEAF != 0 {
                    // No code is shorter than five bits: at most one ends within four.
                    step.symbol = (below & 0xff) as u8;
                    step.action = Action::Emit;
                    node = 0;
                } else {
                    node = below as usize;
                }
            }
            step.next = node as u8;
            steps[start][nibble] = step;
            nibble += 1;
        }
        start += 1;
    }
    steps
}

const fn may_end() -> [bool; 256] {
    let mut may_end = [false; 256];
    let (mut node, mut ones) = (0, 0);
    while ones <= 7 {
        may_end[node] = true;
        node = TREE[node][1] as usize;
        ones += 1;
    }
    may_end
}

/// Appends the decoded form of `input`; false where it is not validly coded.
pub(super) fn decode(input: &[u8], output: &mut Vec<u8>) -> bool {
    let mut node = 0;
    for &byte in input {
        for nibble in [byte >> 4, byte & 0x0f] {
            let step = STEPS[usize::from(node)][usize::from(nibble)];
            match step.action {
                Action::Go => {}
                Action::Emit => output.push(step.symbol),
                Action::Fail => return false,
            }
            node = step.next;
        }
    }
    MAY_END[usize::from(node)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(input: &[u8]) -> Option<String> {
        let mut output = Vec::new();
        decode(input, &mut output).then(|| String::from_utf8(output).unwrap())
    }

    /// The code of each symbol, as in appendix B.
    fn codes() -> Vec<(u32, u8)> {
        let mut codes = vec![(0, 0); LENGTHS.len()];
        let mut code = 0;
        for length in 1..=30 {
            for (symbol, _) in LENGTHS.iter().enumerate().filter(|(_, bits)| **bits == length) {
                codes[symbol] = (code, length);
                code += 1;
            }
            code <<= 1;
        }
        codes
    }

    fn encode(symbols: &[u16]) -> Vec<u8> {
        let codes = codes();
        let mut bits: Vec<bool> = Vec::new();
        for &symbol in symbols {
            let (code, length) = codes[usize::from(symbol)];
            bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
        }
        bits.resize(bits.len().next_multiple_of(8), true);
        bits.chunks(8).map(|byte| byte.iter().fold(0, |all, &bit| all << 1 | u8::from(bit))).collect()
    }

    #[test]
    fn the_examples_of_the_specification() {
        // RFC 7541, appendix C.4 and C.6.
        let www = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decoded(&www).as_deref(), Some("www.example.com"));
        assert_eq!(decoded(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).as_deref(), Some("no-cache"));
        assert_eq!(decoded(&[0x64, 0x02]).as_deref(), Some("302"));
        assert_eq!(decoded(&[0xae, 0xc3, 0x77, 0x1a, 0x4b]).as_deref(), Some("private"));
        assert_eq!(codes()[usize::from(END_OF_STRING)], (0x3fff_ffff, 30));
        assert_eq!(codes()[usize::from(b'\\')], (0x7fff0, 19));
    }

    #[test]
    fn every_byte_survives() {
        for first in 0..256 {
            let symbols: Vec<u16> = (0..=255).map(|second| (first * 7 + second) % 256).collect();
            let mut output = Vec::new();
            assert!(decode(&encode(&symbols), &mut output));
            assert!(output.iter().map(|&byte| u16::from(byte)).eq(symbols));
        }
    }

    #[test]
    fn padding_is_up_to_seven_ones() {
        assert_eq!(decoded(&[]).as_deref(), Some(""));
        // "0" is 00000.
        assert_eq!(decoded(&[0x07]).as_deref(), Some("0"));
        assert_eq!(decoded(&[0x06]), None);
        assert_eq!(decoded(&[0x07, 0xff]), None);
        assert_eq!(decoded(&encode(&[END_OF_STRING])), None);
    }
}
