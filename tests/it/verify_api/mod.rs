//! `grantd verify-api` against small APIs, each with one hole (docs/testing.md). That an API without one check accepts
//! exactly the entries of that name shows, too, that each entry has the flaw which it names and no other.

mod api;
mod hole;
mod manners;
mod page;
mod proof;
mod token;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use grantd::domain::algorithm::SigningAlgorithm;
use grantd::domain::audience::JwtTyp;
use grantd::domain::battery::selection::{Binding, Subject, entries};
use grantd::domain::battery::{Case, List};
use grantd::store::{DatabaseOptions, Store};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use serde_json::Value;

use self::api::{Api, Manner};
use self::hole::Hole;
use self::token::{Checks, keys};
use crate::place::{Dev, Ended, Place};
use crate::process;

/// Entries that no API of these tests accepts without another one: a doubled claim ends in the audience of another API, and
/// 64 KiB are signed by the stranger who signs under our name.
const NEVER_ALONE: [&str; 2] = ["wrong_audience", "foreign_key_same_kid"];

/// A `grantd dev` with the demo catalog, and all that an API has to know of it.
struct Site {
    place: Place,
    dev: Dev,
    control: String,
}

impl Site {
    fn start() -> Self {
        let place = Place::new();
        let dev = place.dev(&["--data", "data"]);
        let control = dev.url("control").to_owned();
        // Whoever asks for the battery has a next and a retired key made; the APIs read the JWKS once.
        get(&format!("{control}/_test/tokens?audience=pricing-api"));
        Self {
            place,
            dev,
            control,
        }
    }

    /// An API that has this hole, if any.
    fn api(&self, hole: Option<Hole>, manner: Manner) -> Api {
        let mut trusted = keys(&get(self.dev.url("jwks_uri")));
        if hole == Some(Hole::TrustsStaging) {
            trusted.extend(keys(&get(&format!(
                "{}/_test/issuers/staging/jwks",
                self.control
            ))));
        }
        if hole == Some(Hole::NeverForgetsKeys) {
            trusted.extend(keys(&self.all_keys()));
        }
        let checks = Checks {
            hole,
            issuer: self.dev.url("issuer").to_owned(),
            staging: format!("{}/_test/issuers/staging", self.control),
            audience: "pricing-api".to_owned(),
            scope: "pricing:read".to_owned(),
            keys: trusted,
            strangers: keys(&get(&format!("{}/_test/stranger/jwks", self.control))),
            pem: self.signing_key_pem(),
            fetch: get,
        };
        Api::start(checks, manner)
    }

    /// Every key that the issuer ever had, as a JWKS.
    fn all_keys(&self) -> String {
        let file = self.place.path("data/grantd.db");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let stored = runtime.block_on(async {
            let url = format!("sqlite://{}", file.display());
            let store = Store::open(DatabaseOptions::new(url)).unwrap();
            store.load_signing_keys().await.unwrap().value
        });
        let jwks: Vec<&str> = stored
            .keys
            .iter()
            .map(|key| key.public_jwk.as_str())
            .collect();
        format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
    }

    /// The key that signs, as OpenSSL writes it.
    fn signing_key_pem(&self) -> String {
        let token = self.dev.token("orders-service", "orders-demo-secret");
        let kid = crate::harness::decoded(&token).0["kid"].clone();
        let jwks: Value = serde_json::from_str(&get(self.dev.url("jwks_uri"))).unwrap();
        let jwk = jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["kid"] == kid)
            .unwrap();
        openssl_pem(jwk)
    }

    /// Runs `grantd verify-api` for the pricing API at `url`.
    fn verify(&self, url: &str, more: &[&str]) -> Ended {
        let usual = [
            "verify-api",
            url,
            "--audience",
            "pricing-api",
            "--scope",
            "pricing:read",
            "--control",
            &self.control,
        ];
        self.place.run(&[&usual, more].concat())
    }

    /// As [`Self::verify`], and gives the report.
    #[track_caller]
    fn report(&self, api: &Api, more: &[&str]) -> (Option<i32>, Value) {
        let ended = self.verify(&api.url, &[&["--report", "json"], more].concat());
        let report = serde_json::from_str(&ended.stdout);
        (ended.code, report.unwrap_or_else(|_| panic!("{ended:?}")))
    }

    /// The API with each of these holes is found out by exactly the entries that are for it.
    fn find_each_of(&self, holes: &[Hole]) {
        for hole in holes {
            let more: &[&str] = if hole.is_about_proofs() {
                &["--dpop"]
            } else {
                &[]
            };
            let (code, report) = self.report(&self.api(Some(*hole), Manner::Right), more);
            let (found, expected) = (accepted(&report), BTreeSet::from_iter(hole.found_by()));
            assert_eq!(found, expected, "{hole:?}");
            let are_holes = expected.iter().any(|name| against(name) == "hole");
            assert_eq!(code, Some(i32::from(are_holes)), "{hole:?}");
            assert_eq!(report["faults"], 0, "{hole:?}: {report}");
        }
    }
}

/// A P-256 key as OpenSSL writes it.
pub(crate) fn openssl_pem(jwk: &Value) -> String {
    let coordinate = |name: &str| {
        let bytes = grantd::crypto::digest::decode_base64url(jwk[name].as_str().unwrap());
        BigNum::from_slice(&bytes.unwrap()).unwrap()
    };
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = EcKey::from_public_key_affine_coordinates(&group, &coordinate("x"), &coordinate("y"));
    let pem = PKey::from_ec_key(key.unwrap())
        .unwrap()
        .public_key_to_pem()
        .unwrap();
    String::from_utf8(pem).unwrap()
}

/// What it is where an API accepts the entry.
fn against(name: &str) -> &'static str {
    Case::from_text(name)
        .unwrap()
        .expectation()
        .against
        .as_str()
}

/// The entries of `refuse` that were accepted.
fn accepted(report: &Value) -> BTreeSet<&str> {
    let results = report["results"].as_array().unwrap().iter();
    let accepted = results.filter(|it| {
        let case = Case::from_text(it["name"].as_str().unwrap()).unwrap();
        case.expectation().list == List::Refuse && it["status"] == 200
    });
    accepted
        .map(|it| {
            assert_eq!(it["verdict"], against(it["name"].as_str().unwrap()));
            it["name"].as_str().unwrap()
        })
        .collect()
}

/// The body of what `url` gives.
fn get(url: &str) -> String {
    let (authority, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let address: SocketAddr = authority.replace("localhost", "127.0.0.1").parse().unwrap();
    let (status, answer) = process::request(address, &format!("GET /{path}"), "").unwrap();
    assert_eq!(status, 200, "{url}: {answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn each_hole_is_found_out_by_exactly_the_entries_for_it_a() {
    Site::start().find_each_of(&Hole::ALL[..14]);
}

#[test]
fn each_hole_is_found_out_by_exactly_the_entries_for_it_b() {
    Site::start().find_each_of(&Hole::ALL[14..28]);
}

#[test]
fn each_hole_is_found_out_by_exactly_the_entries_for_it_c() {
    Site::start().find_each_of(&Hole::ALL[28..40]);
}

#[test]
fn each_hole_is_found_out_by_exactly_the_entries_for_it_d() {
    Site::start().find_each_of(&Hole::ALL[40..]);
}

/// So each entry has the flaw that it names, and no other.
#[test]
fn every_entry_that_an_api_must_refuse_has_an_api_that_accepts_it_alone() {
    let alone: BTreeSet<&str> = Hole::ALL
        .iter()
        .map(|hole| hole.found_by())
        .filter(|names| names.len() == 1)
        .flatten()
        .collect();
    let subject = Subject {
        audience: "pricing-api",
        algorithm: SigningAlgorithm::Es256,
        jwt_typ: JwtTyp::AccessToken,
        has_scope: true,
        has_other_client: true,
        binding: Some(Binding::Dpop),
        introspects: false,
    };
    let refused = entries(subject).filter(|case| case.expectation().list == List::Refuse);
    for case in refused.map(Case::as_str) {
        assert!(
            alone.contains(case) != NEVER_ALONE.contains(&case),
            "{case}"
        );
    }
}

#[test]
fn an_api_that_is_right_has_nothing_to_mend() {
    let site = Site::start();
    for more in [&[][..], &["--dpop"]] {
        let (code, report) = site.report(&site.api(None, Manner::Right), more);
        assert_eq!(code, Some(0), "{report}");
        for count in ["holes", "faults", "notes"] {
            assert_eq!(report[count], 0, "{report}");
        }
        let results = report["results"].as_array().unwrap();
        assert!(results.len() > 40 && results.iter().all(|it| it["verdict"] == "ok"));
        assert_eq!(report["audience"], "pricing-api");
    }
}
