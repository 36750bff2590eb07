//! Inline parameters, as the table of Mistral's own results has them.

use super::inline;

/// Name, parameters and the dropped parts of a text.
fn check(text: &str, expected: &str) {
    let found = match inline::parse(text) {
        Ok(inline) => {
            let params: Vec<String> = inline
                .params
                .iter()
                .map(|(name, value)| format!("{name}:{}={}", value.type_name(), value.to_text()))
                .collect();
            let dropped = inline.dropped.into_iter().map(|range| &text[range]);
            let dropped: Vec<&str> = dropped.collect();
            format!(
                "{} [{}] {}",
                inline.name,
                params.join("; "),
                if dropped.is_empty() {
                    "-".to_owned()
                } else {
                    dropped.join(" | ")
                }
            )
        }
        Err(inline::NoName) => "no name".to_owned(),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn inline_parameters_have_their_traps() {
    for (text, expected) in [
        ("std.noop", "std.noop [] -"),
        ("std.echo(output=1)", "std.echo(output=1) [] -"),
        (
            "std.echo output=\"a b\" n=3",
            "std.echo [output:string=a b; n:integer=3] -",
        ),
        ("std.echo output=bare", "std.echo [] output=bare"),
        ("x b=-2", "x [] b=-2"),
        ("x c=1.5", "x [c:integer=1] .5"),
        ("x e=trueish", "x [e:boolean=True] ish"),
        ("x a=007", "x [a:string=007] -"),
        ("x a={\"k\": 1}", "x [] a={\"k\": 1}"),
        ("x a=[1, 2] b=[\"x\"]", "x [a:string=[1, 2] b=[\"x\"]] -"),
        ("x a=[1, 2]", "x [a:list=[1, 2]] -"),
        ("x a=<% [1,2] %>", "x [a:string=<% [1,2] %>] -"),
        ("x a=\"<% $.y %> z\"", "x [a:string=<% $.y %> z] -"),
        ("x a={{ _.x }}", "x [a:string={{ _.x }}] -"),
        ("x a=1,b=2", "x [a:integer=1; b:integer=2] -"),
        ("x a = 1", "x [] a = 1"),
        ("x a='b c' a=null", "x [a:null=None] -"),
        ("<% $.name %> a=1", "<% $.name %> [a:integer=1] -"),
        ("{{ _.name }} a=true", "{{ _.name }} [a:boolean=True] -"),
        (
            "count=3 delay=1",
            "count [count:integer=3; delay:integer=1] -",
        ),
        ("fail(msg=\"x y\")", "fail [msg:string=x y] -"),
        ("= a", "no name"),
    ] {
        check(text, expected);
    }
}

#[test]
fn functions_need_no_space() {
    let inline = inline::parse_function("fail(msg=\"x\")").expect("the form is known");
    assert_eq!((inline.name.as_str(), inline.params.len()), ("fail", 1));
    for text in ["fail", "fail()", "fail(x)", "fail (msg=1)", "a.b(c=1)"] {
        assert_eq!(inline::parse_function(text), None, "{text}");
    }
}
