//! Values on their way into a script and out of it.
//!
//! Numbers of the language are doubles. An integer that no double holds goes in, and comes out, as
//! a `BigInt`, so that no digit is lost without a word.

use std::fmt::Write as _;

use expr::Value;
use rquickjs::function::This;
use rquickjs::{Array, CatchResultExt as _, Coerced, Ctx, Function, Object, Value as JsValue};

use super::error::{Problem, thrown};

/// The largest integer up to which doubles hold all: 2^53 - 1.
const SAFE_MAX: i64 = (1 << 53) - 1;

/// Deepest nesting of a result.
const DEPTH_MAX: usize = 100;

/// The context as the script sees it.
pub(super) fn give<'js>(js: &Ctx<'js>, context: &Value) -> Result<JsValue<'js>, Problem> {
    let json = context
        .to_json()
        .map_err(|error| Problem::NoContext(error.to_string()))?;
    let given = js.json_parse(json).catch(js).map_err(|e| thrown(js, e))?;
    if !has_large(context) {
        return Ok(given);
    }
    let exact = || {
        let make: Function<'_> = js.globals().get("BigInt")?;
        exact(&make, context, given)
    };
    exact().catch(js).map_err(|e| thrown(js, e))
}

fn is_large(value: &Value) -> bool {
    match value {
        Value::Int(number) => !(-SAFE_MAX..=SAFE_MAX).contains(number),
        other => matches!(other, Value::BigInt(_)),
    }
}

fn has_large(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(has_large),
        Value::Dict(dict) => dict.values().any(|value| has_large(&value)),
        other => is_large(other),
    }
}

/// Puts exact integers in the places of those that lost digits.
fn exact<'js>(
    make: &Function<'js>,
    value: &Value,
    given: JsValue<'js>,
) -> rquickjs::Result<JsValue<'js>> {
    match value {
        Value::List(items) => {
            let list = given.into_array().expect("lists become arrays");
            for (index, item) in items.iter().enumerate().filter(|(_, item)| has_large(item)) {
                list.set(index, exact(make, item, list.get(index)?)?)?;
            }
            Ok(list.into_value())
        }
        Value::Dict(dict) => {
            let object = given.into_object().expect("dicts become objects");
            for (key, item) in dict.iter().filter(|(_, item)| has_large(item)) {
                let key = key.to_text();
                let item = exact(make, &item, object.get(key.as_str())?)?;
                object.set(key, item)?;
            }
            Ok(object.into_value())
        }
        large if is_large(large) => make.call((large.to_text(),)),
        _ => Ok(given),
    }
}

/// The result as a workflow sees it.
pub(super) fn take<'js>(js: &Ctx<'js>, result: &JsValue<'js>) -> Result<Value, Problem> {
    let mut taker = Taker {
        js,
        place: "the result".into(),
        depth: 0,
        bytes_left: engine::Limits::default().data_bytes_max,
    };
    let value = taker.take(result)?;
    Ok(value.unwrap_or_default())
}

struct Taker<'a, 'js> {
    js: &'a Ctx<'js>,
    /// Where in the result it is.
    place: String,
    depth: usize,
    /// What shares its parts can be far larger outside than it is inside.
    bytes_left: usize,
}

impl<'js> Taker<'_, 'js> {
    /// `None` for undefined, which objects leave out.
    fn take(&mut self, value: &JsValue<'js>) -> Result<Option<Value>, Problem> {
        self.spend(1)?;
        if value.is_undefined() {
            return Ok(None);
        }
        if let Some(flag) = value.as_bool() {
            return Ok(Some(flag.into()));
        }
        if let Some(number) = value.as_number() {
            return self.number(number).map(Some);
        }
        if value.is_big_int() {
            return self.large(value).map(Some);
        }
        if let Some(text) = value.as_string() {
            let text = text.to_string();
            let text = text.map_err(|_| self.unusable("a text with half a character"))?;
            self.spend(text.len())?;
            return Ok(Some(text.into()));
        }
        if value.is_function() || value.is_constructor() {
            return Err(self.unusable("a function"));
        }
        if value.is_promise() {
            return Err(self.unusable("a promise"));
        }
        match value.as_object() {
            Some(object) => self.nested(object),
            None if value.is_null() => Ok(Some(Value::Null)),
            None => Err(self.unusable("a symbol")),
        }
    }

    fn number(&self, number: f64) -> Result<Value, Problem> {
        if !number.is_finite() {
            return Err(self.unusable(if number.is_nan() { "NaN" } else { "infinite" }));
        }
        #[expect(clippy::cast_precision_loss, reason = "a double holds it")]
        let is_safe = number.fract() == 0.0 && number.abs() <= SAFE_MAX as f64;
        // The language has one kind of number, so 2.0 is as much an integer as 2.
        #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
        let whole = is_safe.then_some(number as i64);
        Ok(whole.map_or(Value::Float(number), Value::Int))
    }

    fn large(&mut self, value: &JsValue<'js>) -> Result<Value, Problem> {
        let digits: Coerced<String> = self.caught(value.get())?;
        self.spend(digits.len())?;
        Value::from_json(&digits.0).map_err(|error| Problem::NoResult(error.to_string()))
    }

    fn nested(&mut self, object: &Object<'js>) -> Result<Option<Value>, Problem> {
        if self.depth >= DEPTH_MAX {
            return Err(self.unusable("nested too deeply, or within itself"));
        }
        self.depth += 1;
        let taken = match object.as_array() {
            Some(array) => self.array(array).map(Some),
            None => self.object(object),
        };
        self.depth -= 1;
        taken
    }

    fn array(&mut self, array: &Array<'js>) -> Result<Value, Problem> {
        // `Array::len` panics for lengths that 32 bits with a sign do not hold.
        let length: f64 = self.caught(array.as_object().get("length"))?;
        let mut items = Vec::new();
        for index in (0_u32..).take_while(|index| f64::from(*index) < length) {
            let item: JsValue<'js> = self.caught(array.get(index as usize))?;
            let length = self.place.len();
            let _ = write!(self.place, "[{index}]");
            items.push(self.take(&item)?.unwrap_or_default());
            self.place.truncate(length);
        }
        Ok(Value::from(items))
    }

    fn object(&mut self, object: &Object<'js>) -> Result<Option<Value>, Problem> {
        let to_json: JsValue<'js> = self.caught(object.get("toJSON"))?;
        if let Some(to_json) = to_json.into_function() {
            let value = to_json.call((This(object.clone()),));
            return self.take(&self.caught(value)?);
        }
        let mut entries = Vec::new();
        for key in object.keys::<String>() {
            let key = self.caught(key)?;
            let item: JsValue<'js> = self.caught(object.get(key.as_str()))?;
            let length = self.place.len();
            let _ = write!(self.place, ".{key}");
            self.spend(key.len())?;
            let item = self.take(&item)?;
            self.place.truncate(length);
            entries.extend(item.map(|item| (Value::from(key), item)));
        }
        Ok(Some(Value::Dict(entries.into_iter().collect())))
    }

    fn caught<T>(&self, result: rquickjs::Result<T>) -> Result<T, Problem> {
        result
            .catch(self.js)
            .map_err(|error| thrown(self.js, error))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Problem> {
        let max = engine::Limits::default().data_bytes_max;
        self.bytes_left = self
            .bytes_left
            .checked_sub(bytes)
            .ok_or(Problem::TooLarge { max })?;
        Ok(())
    }

    fn unusable(&self, what: &'static str) -> Problem {
        let place = self.place.clone();
        Problem::Unusable { place, what }
    }
}
