//! The passwords that attackers try first. Only those of eight characters or more: shorter ones are refused anyway.

/// Whether a password is on the list, whatever its case.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let mut characters = lower.chars();
    let first = characters.next();
    let repeats = characters.all(|character| Some(character) == first);
    repeats || COMMON.contains(&lower.as_str())
}

const COMMON: &[&str] = &[
    "00000000", "01234567", "0123456789", "09876543", "0987654321", "10203040", "11111111", "11112222", "11223344",
    "1122334455", "12121212", "12131415", "123123123", "123321123", "12341234", "1234512345", "12345670", "12345678",
    "123456789", "1234567890", "123456789a", "12345678910", "1234567891", "12345679", "123456aa", "123456abc",
    "1234qwer", "123654789", "123qweasd", "123qweasdzxc", "13131313", "147258369", "147852369", "1a2b3c4d",
    "1q2w3e4r", "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz1qaz", "1qaz2wsx", "1qaz2wsx3edc", "1qazxsw2", "20202020",
    "21212121", "22222222", "23232323", "31415926", "33333333", "44444444", "55555555", "66666666", "77777777",
    "78787878", "87654321", "88888888", "987654321", "9876543210", "99999999", "aa123456", "aa12345678", "abc12345",
    "abcd1234", "abcdefgh", "access14", "adgjmptw", "admin123", "admin1234", "administrator", "alexander",
    "anthony1", "asdasdasd", "asdf1234", "asdfasdf", "asdfghjk", "asdfghjkl", "azertyuiop", "baseball", "basketball",
    "bigdaddy", "birthday", "blink182", "bullshit", "butterfly", "carolina", "caroline", "catherine", "challenge",
    "changeme", "changeme1", "changeme123", "charlie1", "chelsea1", "chocolate", "christian", "christin",
    "christina", "christine", "christopher", "cocacola", "computer", "consumer", "cowboys1", "creative", "danielle",
    "default1", "dolphins", "dragon12", "einstein", "elephant", "elizabeth", "explorer", "fernando", "fireball",
    "firebird", "football", "football1", "freedom1", "fuckyou1", "garfield", "goldfish", "greenday", "guest123",
    "hardcore", "hello123", "hellohello", "iloveyou", "iloveyou1", "infinity", "internet", "ironman1", "isabella",
    "jackson1", "jennifer", "jonathan", "jordan23", "killer12", "kimberly", "lawrence", "letmein1", "letmein123",
    "liverpool", "liverpoo", "lovelove", "lovely12", "loveyou1", "manchester", "margaret", "marlboro", "marshall",
    "maverick", "maximus1", "mercedes", "metallica", "michael1", "michelle", "midnight", "minecraft", "mistress",
    "monkey12", "montana1", "mountain", "mustang1", "myspace1", "nicholas", "nintendo", "olivia12", "p@ssw0rd",
    "p@ssword", "pa55word", "pakistan", "passport", "passw0rd", "passwd123", "password", "password!", "password1",
    "password12", "password123", "password1234", "password2", "patricia", "patrick1", "platinum", "playstation",
    "pokemon1", "porsche1", "princess", "princess1", "professor", "q1w2e3r4", "q1w2e3r4t5", "qazwsx12", "qazwsxedc",
    "qwaszx12", "qweasdzxc", "qwer1234", "qwerasdf", "qwert123", "qwerty12", "qwerty123", "qwerty1234",
    "qwerty12345", "qwertyui", "qwertyuiop", "raiders1", "redskins", "richard1", "rockstar", "rootroot",
    "samantha", "samsung1", "scorpion", "secret12", "secret123", "security", "september", "sergeant", "slipknot",
    "snickers", "softball", "spiderman", "spiderma", "startrek", "starwars", "steelers", "sunshine", "sunshine1",
    "superman", "superman1", "superstar", "swordfish", "temporary", "test1234", "testtest", "thailand", "thunder1",
    "thunderbird", "timothy1", "tinkerbell", "trustno1", "user1234", "vacation", "valentine", "vampire1", "veronica",
    "victoria", "warcraft", "welcome1", "welcome123", "whatever", "williams", "windows1", "winston1", "wolverine",
    "yankees1", "zaq12wsx", "zaq1zaq1", "zxcvbnm1", "zxcvbnm123", "zxczxczxc",
];
