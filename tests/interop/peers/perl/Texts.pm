# Texts as a user of Net::SMPP puts them on the wire and reads them: it hands over octets only.
package Texts;
use strict;
use warnings;
use Encode qw(decode encode);
use Exporter 'import';
use JSON::PP;

our @EXPORT = qw(tell_tests bodies join_parts receipt_of);

use constant {
    UDHI           => 0x40,    # SMPP 3.4 5.2.12
    UCS2           => 8,       # SMPP 3.4 5.2.19
    PART_OCTETS    => 134,     # 140 octets less a UDH of seven, whole UTF-16 units
    PART_SEPTETS   => 152,     # the same room in septets
    CONCAT_16_BIT  => 8,       # 3GPP TS 23.040 9.2.3.24.8
};

$| = 1;
my $json = JSON::PP->new->ascii->canonical;
my %held;

sub tell_tests {
    my ($saw, %fields) = @_;
    print $json->encode({ saw => $saw, %fields }), "\n";
}

# The fields of each PDU that a text takes; parts are joined by a reference of 16 bits.
sub bodies {
    my ($text, $reference) = @_;
    my $wide = $text =~ /[^\x20-\x7e]/;
    my $octets = $wide ? encode('UTF-16BE', $text) : $text;
    my @coding = (data_coding => $wide ? UCS2 : 0);
    return [ @coding, short_message => $octets ] if length $octets <= ($wide ? 140 : 160);
    my $room = $wide ? PART_OCTETS - 2 : PART_SEPTETS;
    my @cut = unpack "(a$room)*", $octets;
    return map {
        my $udh = pack 'CCCnCC', 6, CONCAT_16_BIT, 4, $reference, scalar @cut, $_ + 1;
        [ @coding, esm_class => UDHI, short_message => $udh . $cut[$_] ];
    } 0 .. $#cut;
}

# (text, parts) of the whole text that a PDU completes; nothing before.
sub join_parts {
    my ($pdu) = @_;
    my ($octets, $index, $total) = ($pdu->{short_message}, 1, 1);
    my $key = join ',', @$pdu{qw(source_addr destination_addr data_coding)};
    if ($pdu->{esm_class} & UDHI) {
        (my $reference, $total, $index) = unpack 'x3 CCC', $octets;
        $octets = substr $octets, 1 + ord $octets;
        $key .= ",$reference";
    }
    $held{$key}[ $index - 1 ] = $octets;
    return if $total > grep { defined } @{ $held{$key} };
    my $whole = join '', @{ delete $held{$key} };
    return ($pdu->{data_coding} == UCS2 ? decode('UTF-16BE', $whole) : $whole, $total);
}

# What a delivery receipt says, by its text.
sub receipt_of {
    my ($pdu) = @_;
    my ($id, $state) = $pdu->{short_message} =~ /^id:(\S+) .* stat:(\w+)/;
    return (id => $id, state => $state);
}

1;
