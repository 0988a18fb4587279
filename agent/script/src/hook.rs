//! The hooks by their names in scripts.

use std::rc::Rc;

use deno_core::v8;

use crate::bootstrap::run;
use crate::exception::INTERNAL;
use crate::queue::Wants;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hook {
    Packet,
    Item,
    Query,
    JobPassed,
    JobFailed,
}

impl Hook {
    pub(crate) const ALL: [Self; 5] =
        [Self::Packet, Self::Item, Self::Query, Self::JobPassed, Self::JobFailed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Packet => "onPacketCaptured",
            Self::Item => "onItemCaptured",
            Self::Query => "onItemQueried",
            Self::JobPassed => "onJobPassed",
            Self::JobFailed => "onJobFailed",
        }
    }

    /// How lines about its calls begin.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Packet => "(hook=onPacketCaptured)",
            Self::Item => "(hook=onItemCaptured)",
            Self::Query => "(hook=onItemQueried)",
            Self::JobPassed => "(hook=onJobPassed)",
            Self::JobFailed => "(hook=onJobFailed)",
        }
    }

    /// What it is given.
    const fn parameters(self) -> &'static str {
        match self {
            Self::Packet | Self::Item => "a",
            Self::Query => "a, b",
            Self::JobPassed => "a, b, c",
            Self::JobFailed => "a, b, c, d",
        }
    }
}

/// The hooks a script has defined. Called by name each time, so that a script may replace its hook; one that it takes
/// away is silently not called.
#[derive(Default)]
pub(crate) struct Hooks([Option<Rc<v8::Global<v8::Function>>>; Hook::ALL.len()]);

impl Hooks {
    /// Looks which hooks there are once a script's code has run. `None` when it was ended.
    pub(crate) fn find(scope: &mut v8::PinScope<'_, '_>) -> Option<Self> {
        let mut hooks = Self::default();
        for hook in Hook::ALL {
            // Evaluated as a script of its own, which sees the `let` and `const` of scripts before it.
            let (name, parameters) = (hook.name(), hook.parameters());
            if run(scope, INTERNAL, &format!("typeof {name} === 'function'"))?.is_true() {
                let call = format!(
                    "(function ({parameters}) {{ return typeof {name} === 'function' ? {name}({parameters}) : void 0 }})"
                );
                let function = run(scope, INTERNAL, &call)?.try_cast::<v8::Function>().ok()?;
                hooks.0[hook as usize] = Some(Rc::new(v8::Global::new(scope, function)));
            }
        }
        Some(hooks)
    }

    pub(crate) fn get(&self, hook: Hook) -> Option<Rc<v8::Global<v8::Function>>> {
        self.0[hook as usize].clone()
    }

    pub(crate) fn wants(&self) -> Wants {
        let has = |hook: Hook| self.0[hook as usize].is_some();
        Wants {
            packets: has(Hook::Packet),
            items: has(Hook::Item),
            queries: has(Hook::Query),
            job_ends: has(Hook::JobPassed) || has(Hook::JobFailed),
        }
    }
}
