//! Items as the filter language asks them.

use std::ops::ControlFlow;

use remora_dissect::{Item, List, Object, Value};
use remora_kfl::{Kind, Visit, VisitEach};

/// An item, or an object of one.
pub struct ItemView<'a>(&'a dyn Object);

impl<'a> ItemView<'a> {
    pub fn new(item: &'a Item) -> Self {
        Self(item)
    }
}

struct ValueView<'a>(&'a Value<'a>);

fn field(object: &dyn Object, name: &str, visit: &mut Visit<'_>) -> bool {
    object.get(name).map(|value| visit(&ValueView(&value))).is_some()
}

fn each_field(object: &dyn Object, visit: &mut VisitEach<'_>) {
    let mut flow = ControlFlow::Continue(());
    object.each(&mut |name, value| {
        if flow.is_continue() {
            flow = visit(Some(name), &ValueView(&value));
        }
    });
}

fn element(list: &dyn List, index: usize, visit: &mut Visit<'_>) -> bool {
    list.at(index).map(|value| visit(&ValueView(&value))).is_some()
}

impl remora_kfl::Value for ItemView<'_> {
    fn kind(&self) -> Kind<'_> {
        Kind::Object
    }

    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool {
        field(self.0, name, visit)
    }

    fn index(&self, _: usize, _: &mut Visit<'_>) -> bool {
        false
    }

    fn each(&self, visit: &mut VisitEach<'_>) {
        each_field(self.0, visit);
    }
}

impl remora_kfl::Value for ValueView<'_> {
    fn kind(&self) -> Kind<'_> {
        match self.0 {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Int(number) => Kind::Int(*number),
            Value::Float(number) => Kind::Float(*number),
            Value::Str(text) => Kind::Str(text),
            Value::Base64(bytes) => Kind::Base64(bytes),
            Value::List(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    fn field(&self, name: &str, visit: &mut Visit<'_>) -> bool {
        let Value::Object(object) = self.0 else { return false };
        field(&**object, name, visit)
    }

    fn index(&self, index: usize, visit: &mut Visit<'_>) -> bool {
        let Value::List(list) = self.0 else { return false };
        element(*list, index, visit)
    }

    fn each(&self, visit: &mut VisitEach<'_>) {
        match self.0 {
            Value::Object(object) => each_field(&**object, visit),
            Value::List(list) => {
                for index in 0..list.len() {
                    let Some(value) = list.at(index) else { return };
                    if visit(None, &ValueView(&value)).is_break() {
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}
