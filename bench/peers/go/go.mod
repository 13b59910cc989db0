module heddle.bench/reverseproxy

go 1.22
