//! How both languages call the host: which arguments arrive, how often it is called, and that
//! a lazy dict is asked for what is looked up and nothing else.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};

use expr::{Context, Dict, Host, HostError, Template, Value, View};

/// Answers every call with its own text, and counts.
#[derive(Default)]
struct Echo {
    calls: RefCell<Vec<String>>,
    number: Cell<i64>,
}

impl Host for Echo {
    fn call(
        &self,
        name: &str,
        args: &[Value],
        kwargs: &[(Arc<str>, Value)],
    ) -> Result<Value, HostError> {
        if name == "uuid" {
            self.number.set(self.number.get() + 1);
            return Ok(Value::from(self.number.get()));
        }
        if name == "random" {
            return Ok(Value::from(0.5));
        }
        if name == "now" {
            return Ok(Value::from(1_500_000_000_000_000_i64));
        }
        let named = kwargs
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_text()));
        let args: Vec<String> = args.iter().map(Value::to_text).chain(named).collect();
        let call = format!("{name}({})", args.join(","));
        self.calls.borrow_mut().push(call.clone());
        if args.first().is_some_and(|arg| arg == "bad") {
            return Err(HostError::new("no such task"));
        }
        let result = Value::from(vec![Value::from(1), Value::from("two")]);
        Ok(Value::Dict(
            [("call", Value::from(call)), ("result", result)]
                .into_iter()
                .collect(),
        ))
    }
}

fn check(text: &str, wanted: &str) -> Vec<String> {
    let host = Echo::default();
    let (template, error) = Template::compile_str(text);
    assert_eq!(error, None, "{text}");
    let found = match template.eval(&Context::new(Value::from(Dict::new()), &host)) {
        Ok(value) => value.to_json().unwrap(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, wanted, "{text}");
    host.calls.into_inner()
}

#[test]
fn both_languages_call_the_host() {
    for (text, wanted) in [
        ("<% task(a).call %>", "\"task(a)\""),
        ("<% task(a).result.last() %>", "\"two\""),
        (
            "<% tasks(x, workflowExecutionId => [1].select($ + 1)).call %>",
            "\"tasks(x,workflow_execution_id=[2])\"",
        ),
        ("<% [uuid(), uuid()] %>", "[1,2]"),
        ("<% now().year %>", "2017"),
        (
            "<% task(bad) %>",
            "cannot evaluate YAQL expression [expression=<% task(bad) %>, error=no such task]",
        ),
        ("{{ task('a').call }}", "\"task(a)\""),
        (
            "{{ 'a' | task }}",
            "{\"call\":\"task(a)\",\"result\":[1,\"two\"]}",
        ),
        ("{{ task('a').result[1] }}", "\"two\""),
        (
            "{{ ('x' | tasks(recursive=true)).call }}",
            "\"tasks(x,recursive=True)\"",
        ),
        (
            "{{ tasks(recursive=true).call }}",
            "\"tasks(recursive=True)\"",
        ),
        ("{{ [uuid(), uuid()] }}", "[1,2]"),
        ("{{ uuid() }}-{{ uuid() }}", "\"1-2\""),
        ("{{ [1, 2, 3, 4] | random }}", "3"),
        ("{{ 'ab' | random }}{{ [5] | random }}", "\"b5\""),
        ("{{ lipsum(1, false, 3, 4) | wordcount }}", "3"),
        ("{{ lipsum(2, max=30).count('</p>') }}", "2"),
        ("{{ lipsum(0) }}", "\"\""),
        (
            "{{ task('bad') }}",
            "cannot evaluate Jinja expression [expression={{ task('bad') }}, error=no such task]",
        ),
    ] {
        check(text, wanted);
    }
}

#[test]
fn jinja_asks_the_host_once_for_each_call() {
    let calls = check(
        "{{ task('a').call }}{{ task('a').call }}{{ env().call }}",
        "\"task(a)task(a)env()\"",
    );
    assert_eq!(calls, ["task(a)", "env()"]);
}

#[test]
fn a_view_is_asked_for_one_key() {
    struct Keys(Mutex<Vec<String>>);
    impl View for Keys {
        fn get(&self, key: &str) -> Option<Value> {
            self.0.lock().unwrap().push(key.into());
            (key == "a").then(|| Value::from(Dict::from_iter([("b", 1_i64)])))
        }
        fn entries(&self) -> Vec<(Arc<str>, Value)> {
            self.0.lock().unwrap().push("all".into());
            vec![("a".into(), Value::from(1))]
        }
    }
    for (text, wanted, asked) in [
        ("<% $.a.b + 1 %>", "2", vec!["a"]),
        ("<% $.get(a).b %>", "1", vec!["a"]),
        ("<% $.get(x, 5) %>", "5", vec!["x"]),
        ("<% $['a'].b %>", "1", vec!["a"]),
        ("{{ _.a.b + 1 }}", "2", vec!["a"]),
        (
            "<% range(50).select($ + 1).sum() + $.a.b %>",
            "1276",
            vec!["a"],
        ),
        ("x <% $.a.b %>", "\"x 1\"", vec!["a"]),
        (
            "<% let(x => $.a) -> range(9).select($x.b).sum() %>",
            "9",
            vec!["a"],
        ),
        ("x {{ _.a.b }}", "\"x 1\"", vec!["a"]),
        (
            "{% for i in range(9) %}{{ i }}{% endfor %}{{ _.a.b }}",
            "\"0123456781\"",
            vec!["a"],
        ),
        ("<% $ %>", "{\"a\":1}", vec!["all"]),
    ] {
        let view = Arc::new(Keys(Mutex::default()));
        let data = Value::from(Dict::view(view.clone()));
        let (template, _) = Template::compile_str(text);
        let value = template
            .eval(&Context::new(data, &Echo::default()))
            .unwrap();
        assert_eq!(value.to_json().unwrap(), wanted, "{text}");
        assert_eq!(*view.0.lock().unwrap(), asked, "{text}");
    }
}
