//! Tests of redirects: when they are followed, and what goes along.

use super::web::Web;

#[tokio::test]
async fn redirects_are_followed_only_on_demand() {
    let web = Web::start().await;
    for given in [
        "",
        r#", "allow_redirects": null"#,
        r#", "allow_redirects": false"#,
    ] {
        let input = format!(r#"{{"url": "BASE/hops/1"{given}}}"#);
        web.check(
            &input,
            &[
                ("/status", "302"),
                ("/history", "[]"),
                ("/content", r#""on""#),
            ],
        )
        .await;
    }
    let fails = "Failed to send HTTP request: exceeded 30 redirects";
    web.check(
        r#"{"url": "BASE/hops/30", "allow_redirects": true}"#,
        &[("/status", "200")],
    )
    .await;
    web.check_failure(r#"{"url": "BASE/hops/31", "allow_redirects": true}"#, fails)
        .await;
}

#[tokio::test]
async fn methods_and_bodies_through_redirects() {
    let web = Web::start().await;
    let cases = [
        (301, "POST", "GET", false),
        (301, "PUT", "PUT", false),
        (302, "PUT", "GET", false),
        (303, "DELETE", "GET", false),
        (307, "POST", "POST", true),
        (308, "PATCH", "PATCH", true),
    ];
    for (status, before, after, keeps) in cases {
        let input = format!(
            r#"{{"url": "BASE/redirect/{status}?to=/echo", "method": "{before}", "json": 1,
                "allow_redirects": true}}"#
        );
        let method = format!("\"{after}\"");
        let (body, kind) = if keeps {
            (r#""1""#, r#""application/json""#)
        } else {
            (r#""""#, "absent")
        };
        web.check(
            &input,
            &[
                ("/content/method", &method),
                ("/content/body", body),
                ("/content/headers/content-type", kind),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn secrets_stay_with_their_host() {
    let web = Web::start().await;
    let secrets = r#""auth": "a:b", "cookies": {"given": 1}, "headers": {"X-Own": "kept"}"#;
    let input =
        format!(r#"{{"url": "BASE/redirect/302?to=/echo", "allow_redirects": true, {secrets}}}"#);
    web.check(
        &input,
        &[
            ("/content/headers/authorization", r#""Basic YTpi""#),
            ("/content/headers/cookie", r#""given=1""#),
            ("/content/headers/x-own", r#""kept""#),
        ],
    )
    .await;
    let other = web.site.base.replace("127.0.0.1", "localhost");
    let input = format!(
        r#"{{"url": "BASE/redirect/302?to={other}/echo", "allow_redirects": true, {secrets}}}"#
    );
    web.check(
        &input,
        &[
            ("/content/headers/authorization", "absent"),
            ("/content/headers/cookie", "absent"),
            ("/content/headers/x-own", r#""kept""#),
        ],
    )
    .await;
}

#[tokio::test]
async fn cookies_are_taken_along_and_shown() {
    let web = Web::start().await;
    web.check(
        r#"{"url": "BASE/login", "cookies": {"given": "1"}, "allow_redirects": true}"#,
        &[
            ("/content/headers/cookie", r#""session=s3""#),
            ("/cookies", "{}"),
        ],
    )
    .await;
    let expected = [
        ("/cookies", r#"{"session": "s3"}"#),
        (
            "/headers/Set-Cookie",
            r#""session=s3; Path=/; HttpOnly, given=; Max-Age=0""#,
        ),
    ];
    web.check(r#"{"url": "BASE/login"}"#, &expected).await;
}
