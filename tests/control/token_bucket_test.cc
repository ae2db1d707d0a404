// SPDX-License-Identifier: BSD-3-Clause
//
// The token bucket: exact to the nanosecond, over any time.
#include "control/token_bucket.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice::test {
namespace {

using control::TokenBucket;

constexpr uint64_t kSecond = 1'000'000'000;

int taken(TokenBucket& bucket, uint64_t now_ns, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += bucket.take(now_ns) ? 1 : 0;
  return count;
}

TEST(TokenBucket, gives_its_burst_at_once_and_then_waits) {
  TokenBucket bucket(10, 5);
  EXPECT_EQ(taken(bucket, 0, 100), 5);
}

TEST(TokenBucket, earns_a_token_at_the_very_nanosecond) {
  TokenBucket bucket(10, 1);
  EXPECT_TRUE(bucket.take(0));
  EXPECT_FALSE(bucket.take(kSecond / 10 - 1));
  EXPECT_TRUE(bucket.take(kSecond / 10));
  EXPECT_FALSE(bucket.take(kSecond / 10));
}

TEST(TokenBucket, loses_nothing_to_rounding_however_often_it_is_asked) {
  // Three a second is no whole number of nanoseconds.
  TokenBucket bucket(3, 1);
  int count = 0;
  for (uint64_t now = 0; now < 100 * kSecond; now += 1'000'003) count += bucket.take(now) ? 1 : 0;
  EXPECT_EQ(count, 300);
}

TEST(TokenBucket, saves_up_no_more_than_its_burst) {
  TokenBucket bucket(1000, 7);
  EXPECT_EQ(taken(bucket, 0, 100), 7);
  EXPECT_EQ(taken(bucket, 3600 * kSecond, 100), 7);
}

TEST(TokenBucket, does_not_overflow_after_centuries_at_the_highest_rate) {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  TokenBucket bucket(kMost, kMost);
  EXPECT_EQ(taken(bucket, 0, 1000), 1000);
  EXPECT_EQ(taken(bucket, std::numeric_limits<uint64_t>::max(), 1000), 1000);
}

TEST(TokenBucket, earns_nothing_from_a_clock_that_steps_back) {
  TokenBucket bucket(1, 1);
  EXPECT_TRUE(bucket.take(10 * kSecond));
  EXPECT_FALSE(bucket.take(5 * kSecond));
  EXPECT_FALSE(bucket.take(10 * kSecond + kSecond / 2));
  EXPECT_TRUE(bucket.take(11 * kSecond));
}

TEST(TokenBucket, keeps_what_is_left_when_its_limits_change) {
  TokenBucket bucket(1, 10);
  EXPECT_EQ(taken(bucket, 0, 4), 4);
  bucket.change(1, 100, 0);
  EXPECT_EQ(taken(bucket, 0, 100), 6);
  bucket.change(100, 3, 10 * kSecond);
  EXPECT_EQ(taken(bucket, 10 * kSecond, 100), 3);
}

TEST(TokenBucket, of_rate_zero_gives_its_burst_and_no_more) {
  TokenBucket bucket(0, 2);
  EXPECT_EQ(taken(bucket, 0, 10), 2);
  EXPECT_EQ(taken(bucket, 1000 * kSecond, 10), 0);
}

}  // namespace
}  // namespace sluice::test
