//! Uses the kit until it is killed.

use std::time::Duration;

#[tokio::main]
async fn main() {
    let grantd = grantd_test::Grantd::start(&[]).await;
    println!("control {}", grantd.control());
    tokio::time::sleep(Duration::from_secs(600)).await;
}
