//! Commands that wait for their answers, in the order they were sent.

use std::collections::VecDeque;

use super::super::command::Command;

#[derive(Debug, Default)]
pub(super) struct Queue {
    commands: VecDeque<Command>,
    /// Bytes of heap of what is in it.
    heap: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whether any of them is to be answered.
    pub(super) fn is_awaited(&self) -> bool {
        self.commands.iter().any(Command::wants_answer)
    }

    pub(super) fn push(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    pub(super) fn pop(&mut self) -> Option<Command> {
        let command = self.commands.pop_front()?;
        self.heap -= command.counted;
        Some(command)
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut Command> {
        self.commands.front_mut()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Command> {
        self.commands.back_mut()
    }

    /// Takes the first command, where it wants no answer.
    pub(super) fn pop_unanswered(&mut self) -> Option<Command> {
        if self.commands.front()?.wants_answer() { None } else { self.pop() }
    }

    /// Counts anew what a packet may have changed: it belongs to the first command or the last.
    pub(super) fn recount(&mut self) {
        let Self { commands, heap } = self;
        let mut count = |command: Option<&mut Command>| {
            if let Some(command) = command {
                let weight = command.weight() + command.fields.heap();
                *heap = *heap + weight - command.counted;
                command.counted = weight;
            }
        };
        count(commands.front_mut());
        if commands.len() > 1 {
            count(commands.back_mut());
        }
    }

    /// Bytes of heap held.
    pub(super) fn memory(&self) -> usize {
        self.commands.capacity() * size_of::<Command>() + self.heap
    }
}
