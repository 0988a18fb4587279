//! The kernel programs stay within `capture-ebpf/budget.toml`: how long they are, how much stack they take, and how much
//! work they are for the verifier.
//!
//! Needs `REMORA_EBPF_OBJECT`; what the verifier says needs root too.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, HashSet},
    env, fs,
    io::Write,
};

use aya::programs::SchedClassifier;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SymbolKind};

const BUDGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../capture-ebpf/budget.toml");
const PROGRAMS: [&str; 2] = [capture_common::INGRESS, capture_common::EGRESS];
const INSTRUCTION: usize = 8;
/// <https://www.kernel.org/doc/html/latest/bpf/standardization/instruction-set.html>
const STACK_POINTER: u8 = 10;

/// Past the test harness, which keeps what passing tests print to itself.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn object_file() -> Option<Vec<u8>> {
    let path = env::var_os("REMORA_EBPF_OBJECT").unwrap_or_default();
    let object = fs::read(path).ok();
    if object.is_none() {
        say("skipped: REMORA_EBPF_OBJECT names no file; `cargo xtask build-ebpf` builds it");
    }
    object
}

/// `[program]` sections with `key = number` lines.
fn budget() -> BTreeMap<String, BTreeMap<String, u64>> {
    let text = fs::read_to_string(BUDGET).unwrap();
    let mut budget = BTreeMap::<String, BTreeMap<String, u64>>::new();
    let mut program = String::new();
    for line in
        text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty())
    {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            program = name.to_owned();
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{BUDGET}: {line}"));
            budget
                .entry(program.clone())
                .or_default()
                .insert(key.trim().to_owned(), value.trim().parse().unwrap());
        }
    }
    budget
}

/// The instructions of a function, and the functions it calls.
struct Function {
    instructions: u64,
    stack: u64,
    calls: HashSet<Place>,
}

/// Where a function begins.
type Place = (SectionIndex, u64);

struct Code<'a> {
    file: object::File<'a>,
}

impl Code<'_> {
    fn program(&self, name: &str) -> Place {
        let symbol = self.file.symbol_by_name(name).unwrap_or_else(|| panic!("the object has no {name}"));
        (symbol.section_index().unwrap(), symbol.address())
    }

    fn function(&self, place: Place) -> Function {
        let (index, start) = place;
        let symbol = self
            .file
            .symbols()
            .find(|symbol| {
                symbol.kind() == SymbolKind::Text
                    && symbol.section_index() == Some(index)
                    && symbol.address() == start
                    && symbol.size() > 0
            })
            .unwrap_or_else(|| panic!("no function at {place:?}"));
        let section = self.file.section_by_index(index).unwrap();
        let code = &section.data().unwrap()[start as usize..(start + symbol.size()) as usize];
        let relocations: BTreeMap<u64, RelocationTarget> =
            section.relocations().map(|(at, relocation)| (at, relocation.target())).collect();

        let (mut stack, mut calls) = (0, HashSet::new());
        for (number, instruction) in code.chunks_exact(INSTRUCTION).enumerate() {
            stack = stack.max(depth(instruction, &code[number * INSTRUCTION..]));
            let [0x85, registers, ..] = *instruction else { continue };
            const LOCAL: u8 = 1;
            if registers >> 4 == LOCAL {
                let at = start + (number * INSTRUCTION) as u64;
                let relative = i32::from_le_bytes(instruction[4..8].try_into().unwrap());
                calls.insert(self.callee(relocations.get(&at).copied(), index, at, relative));
            }
        }
        Function { instructions: (code.len() / INSTRUCTION) as u64, stack, calls }
    }

    /// A call is relative within its section, or to what its relocation names.
    fn callee(
        &self,
        relocation: Option<RelocationTarget>,
        index: SectionIndex,
        at: u64,
        relative: i32,
    ) -> Place {
        let offset = i64::from(relative + 1) * INSTRUCTION as i64;
        match relocation {
            Some(RelocationTarget::Symbol(symbol)) => {
                let symbol = self.file.symbol_by_index(symbol).unwrap();
                let section = symbol.section_index().unwrap();
                match symbol.kind() {
                    SymbolKind::Section => (section, offset as u64),
                    _ => (section, symbol.address()),
                }
            }
            _ => (index, (at as i64 + offset) as u64),
        }
    }

    /// Instructions of a function and all it calls, each once, and the deepest stack.
    fn total(&self, place: Place) -> (u64, u64) {
        let (mut seen, mut waiting, mut instructions) = (HashSet::new(), vec![place], 0);
        while let Some(place) = waiting.pop() {
            if seen.insert(place) {
                let function = self.function(place);
                instructions += function.instructions;
                waiting.extend(function.calls);
            }
        }
        (instructions, self.stack(place))
    }

    fn stack(&self, place: Place) -> u64 {
        let function = self.function(place);
        function.stack + function.calls.into_iter().map(|callee| self.stack(callee)).max().unwrap_or(0)
    }
}

/// How far below the frame pointer an instruction reaches: by loading or storing there, or by taking an address
/// (`r1 = r10` followed by `r1 += -24`).
fn depth(instruction: &[u8], rest: &[u8]) -> u64 {
    const LOAD: u8 = 1;
    const STORE: u8 = 2;
    const STORE_REGISTER: u8 = 3;
    const MOVE: u8 = 0xbf;
    const ADD: u8 = 0x07;
    let (destination, source) = (instruction[1] & 15, instruction[1] >> 4);
    let offset = i16::from_le_bytes([instruction[2], instruction[3]]);
    let base = match instruction[0] & 7 {
        LOAD => source,
        STORE | STORE_REGISTER => destination,
        _ if instruction[0] == MOVE && source == STACK_POINTER => {
            // The addition need not follow at once, but the same register must not have been set in between.
            let added =
                rest.chunks_exact(INSTRUCTION).skip(1).take(16).find(|next| next[1] & 15 == destination);
            let amount = added
                .filter(|next| next[0] == ADD)
                .map_or(0, |next| i32::from_le_bytes(next[4..8].try_into().unwrap()));
            return u64::from(amount.min(0).unsigned_abs());
        }
        _ => return 0,
    };
    if base == STACK_POINTER { u64::from(offset.min(0).unsigned_abs()) } else { 0 }
}

fn check(program: &str, what: &str, measured: u64, allowed: u64) {
    say(&format!("{program}: {measured} of {allowed} {what}"));
    assert!(measured <= allowed, "{program} has {measured} {what}; {BUDGET} allows {allowed}");
    // A budget far above what is used would notice nothing.
    assert!(
        measured * 2 > allowed,
        "{program} has {measured} {what}; the {allowed} in {BUDGET} are too many by far"
    );
}

#[test]
fn instructions_and_stack() {
    let Some(object) = object_file() else { return };
    let code = Code { file: object::File::parse(&*object).unwrap() };
    let budget = budget();
    for program in PROGRAMS {
        let (instructions, stack) = code.total(code.program(program));
        check(program, "instructions", instructions, budget[program]["instructions"]);
        check(program, "stack_bytes", stack, budget[program]["stack_bytes"]);
    }
}

#[test]
fn work_of_the_verifier() {
    let Some(object) = object_file() else { return };
    if !rustix::process::geteuid().is_root() {
        return say("skipped: loading programs needs root");
    }
    let mut ebpf = aya::Ebpf::load(&object).unwrap();
    let budget = budget();
    for name in PROGRAMS {
        let program: &mut SchedClassifier = ebpf.program_mut(name).unwrap().try_into().unwrap();
        program.load().unwrap();
        let verified = program.info().unwrap().verified_instruction_count();
        let Some(verified) = verified.filter(|count| *count > 0) else {
            return say(
                "skipped: this kernel does not tell how many instructions it verified (Linux 5.16 does)",
            );
        };
        check(name, "verified_instructions", verified.into(), budget[name]["verified_instructions"]);
    }
}
