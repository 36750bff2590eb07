//! Tests of the egress policy: by its rules alone, and through requests.

use reqwest::Url;

use super::site::Site;
use super::{Bench, error_text, open_config};
use crate::actions::egress::{self, Policy};
use crate::actions::{Config, HostPattern};

#[track_caller]
fn check(config: &egress::Config, urls: &[(&str, Option<&str>)]) {
    let policy = Policy::new(config.clone());
    for (url, expected) in urls {
        let refusal = policy
            .check_url(&Url::parse(url).unwrap())
            .err()
            .map(|e| e.to_string());
        assert_eq!(refusal.as_deref(), *expected, "{url}");
    }
}

#[test]
fn the_own_machine_is_denied_by_default() {
    let denied = |host: &str, address: &str, network: &str| {
        format!("the egress policy denies the address {address} of '{host}' (in {network})")
    };
    let cases = [
        (
            "http://127.0.0.1:8080/x",
            denied("127.0.0.1", "127.0.0.1", "127.0.0.0/8"),
        ),
        // Other spellings of the same address.
        (
            "http://2130706433/",
            denied("127.0.0.1", "127.0.0.1", "127.0.0.0/8"),
        ),
        (
            "http://0x7f.1/",
            denied("127.0.0.1", "127.0.0.1", "127.0.0.0/8"),
        ),
        ("http://0/", denied("0.0.0.0", "0.0.0.0", "0.0.0.0/8")),
        ("http://[::1]/", denied("[::1]", "::1", "::1/128")),
        ("http://[::]/", denied("[::]", "::", "::/128")),
        (
            "http://[::ffff:127.0.0.1]/",
            denied("[::ffff:7f00:1]", "::ffff:127.0.0.1", "127.0.0.0/8"),
        ),
        (
            "http://[64:ff9b::7f00:1]/",
            denied("[64:ff9b::7f00:1]", "64:ff9b::7f00:1", "127.0.0.0/8"),
        ),
        (
            "http://[2002:a9fe:a9fe::]/",
            denied("[2002:a9fe:a9fe::]", "2002:a9fe:a9fe::", "169.254.0.0/16"),
        ),
        (
            "http://[::7f00:1]/",
            denied("[::7f00:1]", "::7f00:1", "127.0.0.0/8"),
        ),
        (
            "http://169.254.169.254/latest",
            denied("169.254.169.254", "169.254.169.254", "169.254.0.0/16"),
        ),
        (
            "http://[fe80::1]/",
            denied("[fe80::1]", "fe80::1", "fe80::/10"),
        ),
    ];
    for (url, expected) in cases {
        check(&egress::Config::default(), &[(url, Some(&expected))]);
    }
    let schemes = "the scheme 'ftp' is not allowed, only http and https are";
    check(
        &egress::Config::default(),
        &[
            ("http://10.1.2.3/", None),
            ("https://[2001:db8::1]/", None),
            ("https://example.com/", None),
            ("ftp://example.com/", Some(schemes)),
            (
                "file:///etc/passwd",
                Some("the scheme 'file' is not allowed, only http and https are"),
            ),
        ],
    );
}

#[test]
fn only_allowed_hosts_if_any_are_named() {
    let pattern = |text: &str| HostPattern::try_from(text.to_owned()).unwrap();
    let allowed = [
        "API.example.com",
        "*.test",
        "bücher.example",
        "10.0.0.1",
        "::1",
    ]
    .map(pattern);
    let config = egress::Config {
        allowed_hosts: Some(allowed.into()),
        ..egress::Config::default()
    };
    let refused = |host: &str| format!("the egress policy does not allow the host '{host}'");
    check(
        &config,
        &[
            ("https://api.example.com/", None),
            ("https://api.example.com.:8443/", None),
            (
                "https://www.example.com/",
                Some(&refused("www.example.com")),
            ),
            (
                "https://api.example.com.evil.net/",
                Some(&refused("api.example.com.evil.net")),
            ),
            ("https://a.test/", None),
            ("https://a.b.TEST/", None),
            ("https://test/", Some(&refused("test"))),
            ("https://atest/", Some(&refused("atest"))),
            ("https://.test/", Some(&refused(".test"))),
            ("https://xn--bcher-kva.example/", None),
            ("http://10.0.0.1/", None),
            ("http://10.0.0.2/", Some(&refused("10.0.0.2"))),
            // Allowed by name and still denied by address.
            (
                "http://[::1]/",
                Some("the egress policy denies the address ::1 of '[::1]' (in ::1/128)"),
            ),
        ],
    );
}

#[test]
fn malformed_hosts_are_refused() {
    for text in [
        "",
        "*",
        "*.",
        "a.test:80",
        "a.test:443",
        "a.test/x",
        "u@a.test",
        "a.*.test",
        "a b",
    ] {
        assert!(HostPattern::try_from(text.to_owned()).is_err(), "{text}");
    }
}

/// Runs a request and checks that the policy refuses it.
async fn check_refused(config: Config, input: String, expected: &str) {
    let outcome = Bench::with(&config).run("std.http", &input).await;
    let text = error_text(&outcome);
    assert!(
        text.starts_with("Failed to send HTTP request: the egress policy "),
        "{text}"
    );
    assert!(text.contains(expected), "{text}");
}

#[tokio::test]
async fn addresses_and_names_of_the_own_machine_are_not_reached() {
    let site = Site::start().await;
    let by_name = site.base.replace("127.0.0.1", "localhost");
    let input = format!(r#"{{"url": "{}/echo"}}"#, site.base);
    check_refused(Config::default(), input, "denies the address 127.0.0.1").await;
    let input = format!(r#"{{"url": "{by_name}/echo"}}"#);
    check_refused(Config::default(), input, "of 'localhost'").await;
}

#[tokio::test]
async fn every_hop_is_checked() {
    let site = Site::start().await;
    let mut config = open_config();
    config.egress.allowed_hosts = Some(vec!["127.0.0.1".to_owned().try_into().unwrap()]);
    let elsewhere = site.base.replace("127.0.0.1", "localhost");
    let url = format!("{}/redirect/302?to={elsewhere}/echo", site.base);
    let input = format!(r#"{{"url": "{url}", "allow_redirects": true}}"#);
    check_refused(config.clone(), input, "does not allow the host 'localhost'").await;
    // A front goes by this header, not by the address.
    let input = format!(
        r#"{{"url": "{}/echo", "headers": {{"Host": "a.test:8"}}}}"#,
        site.base
    );
    check_refused(config, input, "does not allow the host 'a.test'").await;
    // Names are resolved and checked again on each hop.
    let mut config = Config::default();
    config.egress.denied_networks = vec!["127.0.0.2".to_owned().try_into().unwrap()];
    let url = format!("{}/redirect/307?to=http://127.0.0.2/", site.base);
    let input = format!(r#"{{"url": "{url}", "allow_redirects": true}}"#);
    check_refused(config, input, "denies the address 127.0.0.2").await;
}

#[tokio::test]
async fn proxies_are_no_way_round() {
    let site = Site::start().await;
    let proxied = |url: &str| {
        format!(
            r#"{{"url": "{url}", "proxies": {{"http": "{}"}}}}"#,
            site.base
        )
    };
    // The proxy itself.
    check_refused(
        Config::default(),
        proxied("http://192.0.2.1/"),
        "of '127.0.0.1'",
    )
    .await;
    // What the proxy would reach.
    let mut config = open_config();
    config.egress.denied_networks = vec!["192.0.2.0/24".to_owned().try_into().unwrap()];
    check_refused(config, proxied("http://192.0.2.1/"), "(in 192.0.2.0/24)").await;
}
